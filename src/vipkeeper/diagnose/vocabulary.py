"""The words facts are made of: every key with what it is about, the kind of its value and its meaning.

A collector may only state facts of this table, and a predicate may only read keys of it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Word(enum.Enum):
    """A value that is one of a few words."""


class Port(Word):
    """What a TCP connection attempt met."""

    OPEN = "open"
    REFUSED = "refused"
    SILENT = "silent"
    """Nothing came back within the limit."""
    UNREACHABLE = "unreachable"
    """No route to host: no answer to ARP, or a router or firewall said so."""


class Hello(Word):
    """What a TLS handshake met, judged with the cluster's CA where it is known."""

    VALID = "valid"
    NO_ANSWER = "no-answer"
    """TCP connects, no ServerHello comes."""
    NOT_TLS = "not-tls"
    NAME_MISSING = "name-missing"
    """The certificate does not name the address that was asked."""
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    OTHER_AUTHORITY = "other-authority"
    """Signed by somebody else than this cluster's CA."""
    UNVERIFIED = "unverified"
    """A certificate that names the address; no CA was at hand to judge the signature."""


class Ready(Word):
    """What GET /readyz said."""

    OK = "ok"
    ETCD_FAILED = "etcd-failed"
    """500, and the only failed check is etcd's."""
    CHECKS_FAILED = "checks-failed"
    """500 with other failed checks, or without a list."""
    NOT_READY = "not-ready"
    """The supervisor's own text: the API server behind it does not run yet."""
    UNAUTHORIZED = "unauthorized"
    """401: it serves, and does not say how it is."""
    OTHER = "other"
    """Another answer, 404 or a redirection: whoever speaks there is no API server."""
    NO_ANSWER = "no-answer"
    REFUSED = "refused"


class Etcd(Word):
    """What etcd's /health said."""

    HEALTHY = "healthy"
    NO_LEADER = "no-leader"
    NO_ANSWER = "no-answer"
    REFUSED = "refused"
    NO_SPACE = "no-space"
    """The alarm NOSPACE is raised: nothing is written any more."""
    ALARM = "alarm"
    """Another alarm is raised."""
    SLOW = "slow"
    """It has a leader and writes so slowly that it could not read within the limit of /health."""


class Process(Word):
    """The state of a service, a process or a container."""

    RUNNING = "running"
    STARTING = "starting"
    RESTARTING = "restarting"
    """It ended more than once within minutes and is started again."""
    STOPPED = "stopped"
    FAILED = "failed"
    FROZEN = "frozen"
    """Stopped by a signal or a freezer: alive, and it does nothing."""
    ABSENT = "absent"
    """Nothing of this name is installed or scheduled here."""


class Manager(Word):
    """What is meant to hold the VIP."""

    VIPKEEPER = "vipkeeper"
    KUBE_VIP = "kube-vip"
    KEEPALIVED = "keepalived"
    NONE = "none"


class Datastore(Word):
    """Where the cluster keeps its state."""

    ETCD = "etcd"
    EXTERNAL = "external"
    SQLITE = "sqlite"


class Subject(enum.Enum):
    """What a key is about."""

    CLUSTER = "cluster"
    SERVER = "server"
    """One control-plane server, as it sees itself."""
    PATH = "path"
    """A server, or the VIP, as another place sees it."""


Kind = type[bool] | type[int] | type[str] | type[tuple[str, ...]] | type[Word]
"""The type of a value: a flag, a count, a text, a list of texts or a word."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One line of the table."""

    subject: Subject
    kind: Kind
    text: str
    """What the value says; for a flag, what is so when it is true."""
    aspect: str = ""
    """What the aspect of a fact names; empty when the key has none."""


def _cluster(kind: Kind, text: str, aspect: str = "") -> Meaning:
    return Meaning(Subject.CLUSTER, kind, text, aspect)


def _server(kind: Kind, text: str, aspect: str = "") -> Meaning:
    return Meaning(Subject.SERVER, kind, text, aspect)


def _path(kind: Kind, text: str, aspect: str = "") -> Meaning:
    return Meaning(Subject.PATH, kind, text, aspect)


LIST: Kind = tuple


class Key(enum.Enum):
    """What can be known. The value of each member is its line of the table."""

    VIP = ("vip", _cluster(str, "the address that clients use"))
    SERVERS = ("servers", _cluster(LIST, "the names of all control-plane servers"))
    MANAGER = ("manager", _cluster(Manager, "what is meant to hold the VIP"))
    DATASTORE = ("datastore", _cluster(Datastore, "where the cluster keeps its state"))
    VOTERS = ("etcd.voters", _cluster(int, "voting members of etcd, by its own member list"))
    JOIN_PORT = (
        "join.port",
        _cluster(
            int, "the port that nodes join through: 9345 on RKE2, on k3s and kubeadm the API's"
        ),
    )
    LEASE_HOLDER = ("lease.holder", _cluster(str, "who holds the manager's Lease"))
    LEASE_FRESH = ("lease.fresh", _cluster(bool, "the manager's Lease is renewed in time"))
    LINT = ("lint", _cluster(bool, "lint finds this in the cluster's files", "code of the rule"))

    VIP_PRESENT = ("vip.present", _server(bool, "the VIP is on an interface"))
    VIP_INTERFACE = ("vip.interface", _server(str, "the interface that has the VIP"))
    VIP_PERMANENT = ("vip.permanent", _server(bool, "the VIP has no lifetime: it stays for ever"))
    VIP_DAD_FAILED = (
        "vip.dad-failed",
        _server(bool, "IPv6 found the VIP on another host and does not use it"),
    )
    VIP_SUBNET = ("vip.subnet", _server(bool, "the VIP is in a subnet of an interface"))
    VIP_FILTERED = ("vip.filtered", _server(bool, "a rule drops packets of the VIP", "port"))
    VIP_CAPTURED = ("vip.captured", _server(bool, "kube-proxy or the CNI takes packets to the VIP"))
    JOINS = ("joins", _server(str, "where `server` leads its supervisor; empty: it joins nobody"))
    VIP_IS_NODE_IP = ("vip.is-node-ip", _server(bool, "the node's address is the VIP"))
    ARP_IGNORED = ("vip.arp-ignored", _server(bool, "the kernel does not answer ARP for the VIP"))
    LINK_UP = ("link.up", _server(bool, "the interface is up and has carrier"))
    DEFAULT_ROUTE = ("route.default", _server(bool, "there is a default route"))
    SUPERVISOR = ("supervisor", _server(Process, "rke2-server, k3s or kubelet of kubeadm"))
    SUPERVISOR_AGE = ("supervisor.age", _server(int, "seconds since the supervisor started"))
    CONTAINER = ("container", _server(Process, "a container of the control plane", "name"))
    API_PORT = ("api.port", _server(Port, "127.0.0.1:6443"))
    READYZ = ("api.readyz", _server(Ready, "GET /readyz of the local API server"))
    REGISTRATION_PORT = (
        "registration.port",
        _server(Port, "port 9345 on the server's own address"),
    )
    REGISTRATION_ON_VIP = ("registration.on-vip", _server(bool, "9345 listens on the VIP too"))
    ETCD_HEALTH = ("etcd.health", _server(Etcd, "the local etcd's /health"))
    ETCD_LEADER = ("etcd.leader", _server(bool, "the local etcd knows a leader, by its metrics"))
    ETCD_LEARNER = ("etcd.learner", _server(bool, "the local etcd is a learner: it has no vote"))
    ETCD_SLOW = ("etcd.slow", _server(bool, "writes of the local etcd take longer than 100 ms"))
    ETCD_DATA = ("etcd.data", _server(bool, "data of etcd is on disk: it was in a cluster before"))
    DISK_FULL = ("disk.full", _server(bool, "the disk with the datastore is full"))
    MANAGER_STATE = ("manager.state", _server(Process, "the process that is meant to hold the VIP"))
    MANAGER_HOLDS = ("manager.holds", _server(bool, "the manager says that it holds the VIP"))
    ADVERTS_REFUSED = (
        "manager.adverts-refused",
        _server(
            bool, "vipkeeper refuses a listed server's adverts: they are made with another key"
        ),
    )
    MANAGER_STANDBY = ("manager.standby", _server(bool, "an operator told it not to claim"))
    LOGS_READ = ("logs.read", _server(bool, "the logs of the last hour were read"))
    LOG = ("log", _server(bool, "this message is in the logs", "code of the message"))
    CLOCK_OFFSET = ("clock.offset", _server(int, "milliseconds ahead of the one who asks"))

    SERVER_UP = ("server.up", _path(bool, "the host answers at all: ARP, echo or any port"))
    SERVER_PORT = ("server.port", _path(Port, "a port on the server's own address", "port"))
    SERVER_READYZ = ("server.readyz", _path(Ready, "GET /readyz on the server's own address"))
    SERVER_HELLO = ("server.tls", _path(Hello, "TLS on the server's own address", "port"))
    VIP_MACS = ("vip.macs", _path(LIST, "the link-layer addresses that answer for the VIP"))
    VIP_MAC_OWNER = (
        "vip.mac-owner",
        _path(str, "the server that has the answering address, or none"),
    )
    VIP_NEIGHBOUR = ("vip.neighbour", _path(str, "the link-layer address in the neighbour table"))
    VIP_STALE = ("vip.stale", _path(bool, "the neighbour table names another address than answers"))
    VIP_ROUTE = ("vip.route", _path(bool, "the place that asks has a route to the VIP"))
    VIP_PORT = ("vip.port", _path(Port, "a port on the VIP", "port"))
    VIP_READYZ = ("vip.readyz", _path(Ready, "GET /readyz on the VIP"))
    VIP_HELLO = ("vip.tls", _path(Hello, "TLS on the VIP", "port"))
    VIP_ON_LINK = ("vip.on-link", _path(bool, "the place that asks is in the VIP's subnet"))
    GATEWAY = ("gateway", _path(bool, "the gateway answers"))

    def __init__(self, word: str, meaning: Meaning) -> None:
        self.word = word
        self.meaning = meaning


BY_WORD = {key.word: key for key in Key}
