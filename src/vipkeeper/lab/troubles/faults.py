"""The faults of `drill --why` with the answers that are right, chosen before any of them was run.

An expectation is changed only where it was itself wrong; docs/why-accuracy.md then says which and why.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

HEALTHY = "healthy"
"""The expected verdict where nothing is broken."""


class Holder(enum.Enum):
    """What holds the VIP."""

    VIPKEEPER = "vipkeeper"
    KEEPALIVED = "keepalived"
    """With a check of the API server."""
    UNCHECKED = "keepalived without a check"
    KUBE_VIP = "a stand-in of kube-vip"
    NOBODY = "nothing; the VIP is put on the first server by hand"
    NOWHERE = "nothing, and no server has the VIP"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the cluster it is put into, and which causes are a right answer."""

    name: str
    what: str
    """What is broken, for people."""
    expected: tuple[str, ...]
    """Codes any of which is right as the foremost root cause; none: the cluster is healthy."""
    also: tuple[str, ...] = ()
    """Codes that are true as well, as a second cause or a consequence."""
    servers: int = 3
    holder: Holder = Holder.VIPKEEPER
    anonymous: bool = True
    """Whether /readyz answers without a credential (kubeadm), or 401 (RKE2, k3s)."""
    looks: int = 2
    """How often the places look, more than 10 s apart."""


_K, _U = Holder.KEEPALIVED, Holder.UNCHECKED
_N, _W = Holder.NOBODY, Holder.NOWHERE
_V = Holder.KUBE_VIP

FIRST: tuple[Fault, ...] = (
    Fault("healthy-three", "nothing", ()),
    Fault("healthy-rke2", "nothing, and /readyz answers 401 as on RKE2", (), anonymous=False),
    Fault("healthy-one", "nothing, in a cluster of one", (), servers=1),
    Fault("healthy-keepalived", "nothing, with keepalived", (), holder=_K),
    Fault("quorum-lost", "two servers of three lose power", ("VK801",)),
    Fault(
        "quorum-lost-rke2",
        "the same, and /readyz answers 401 as on RKE2",
        ("VK801",),
        holder=_K,
        anonymous=False,
    ),
    Fault("etcd-killed-on-two", "etcd is killed on two of three servers", ("VK801",), ("VK808",)),
    Fault("one-of-two-lost", "one server of two loses power", ("VK803",), servers=2),
    Fault(
        "holder-cut-off",
        "the holder and the other servers do not hear each other; clients hear all",
        ("VK802",),
        ("VK861",),
        holder=_U,
    ),
    Fault(
        "holder-mute",
        "what the holder sends reaches no other server; it hears them",
        ("VK802",),
        ("VK861",),
        holder=_U,
    ),
    Fault(
        "only-server-api-dead",
        "the API server of the only server is killed",
        ("VK822", "VK821"),
        servers=1,
    ),
    Fault("only-server-off", "the only server loses power", ("VK821",), servers=1),
    Fault("api-dead-vip-stays", "the API server behind the VIP is killed", ("VK822",), holder=_U),
    Fault(
        "api-dead-rke2",
        "the same, and /readyz answers 401 as on RKE2",
        ("VK822",),
        holder=_U,
        anonymous=False,
    ),
    Fault("api-frozen", "the API server behind the VIP is stopped", ("VK823",), holder=_U),
    Fault(
        "api-crash-loop",
        "the API server behind the VIP ends whenever it is started",
        ("VK824",),
        ("VK822",),
        holder=_U,
    ),
    Fault(
        "supervisor-stopped",
        "rke2-server is stopped on the holder, and all its containers with it",
        ("VK825",),
        ("VK822", "VK808"),
        holder=_U,
    ),
    Fault(
        "etcd-dead-behind-vip",
        "etcd of the holder is killed and not started again",
        ("VK808",),
        ("VK822",),
        holder=_U,
    ),
    Fault("etcd-no-space", "etcd has reached its quota", ("VK805",)),
    Fault(
        "disk-full",
        "the disk with the datastore of the holder is full",
        ("VK806",),
        ("VK808",),
        holder=_U,
    ),
    Fault(
        "election",
        "the leader of etcd is killed moments before the only look",
        ("VK812",),
        looks=1,
    ),
    Fault("manager-killed", "keepalived of the holder is killed", ("VK827", "VK863"), holder=_K),
    Fault(
        "manager-killed-alone",
        "keepalived of the only server is killed; the VIP still answers",
        ("VK827",),
        servers=1,
        holder=_K,
    ),
    Fault("manager-frozen", "keepalived of the holder is stopped", ("VK863",), holder=_K),
    Fault("leftover-address", "another server has the VIP as well, by hand", ("VK863",)),
    Fault("foreign-host", "a host that is no server has the VIP as well", ("VK862",)),
    Fault("vrrp-blocked", "IP protocol 112 is dropped between the servers", ("VK864",), holder=_K),
    Fault("vrrp-password", "the passwords of keepalived differ", ("VK864",), holder=_K),
    Fault(
        "vrid-clash",
        "a router of another group sends adverts with the same id",
        ("VK865",),
        holder=_K,
    ),
    Fault("no-manager", "no server has anything that would hold the VIP", ("VK828",), holder=_W),
    Fault(
        "wrong-interface", "keepalived is told an interface that is missing", ("VK834",), holder=_K
    ),
    Fault("all-on-standby", "`vipkeeper standby on` on every server", ("VK830",)),
    Fault("stale-neighbour", "the client's neighbour table names another host", ("VK866",)),
    Fault("vip-filtered", "a rule on the holder drops port 6443 of the VIP", ("VK867",)),
    Fault("vip-unheard", "the network drops ARP for the VIP", ("VK868",), holder=_K),
    Fault("vip-in-no-subnet", "the VIP is in no subnet of the servers", ("VK869",), holder=_U),
    Fault("vip-captured", "a node sends packets to the VIP to a Service", ("VK870",)),
    Fault(
        "dad-failed",
        "IPv6 found the VIP on another host, which is gone since",
        ("VK871",),
        holder=_N,
    ),
    Fault("link-down", "the VIP is on an interface that is down", ("VK872",), holder=_N),
    Fault("arp-ignored", "the holder is told not to answer ARP", ("VK873",), holder=_U),
    Fault("client-cut-off", "the client has lost its network", ("VK874",)),
    Fault("name-missing", "the certificates do not name the VIP", ("VK881",)),
    Fault("certificate-expired", "the certificates have expired", ("VK882",)),
    Fault("other-authority", "another CA signed the holder's certificate", ("VK883",), holder=_U),
    Fault("registration-closed", "9345 listens on the servers' own addresses only", ("VK846",)),
    Fault(
        "server-not-a-url",
        "`server: true` on a new server, the only one",
        ("VK841",),
        ("VK828", "VK821"),
        servers=1,
        holder=_W,
    ),
    Fault(
        "first-joins-vip",
        "every server waits for the VIP that only they could serve",
        ("VK842",),
        ("VK828",),
        holder=_W,
    ),
)
"""Chosen before any of them was run."""
LATER: tuple[Fault, ...] = (
    Fault(
        "healthy-k3s",
        "nothing, on k3s: one port for all, etcd within the server",
        (),
        holder=_K,
        anonymous=False,
    ),
    Fault(
        "quorum-lost-k3s",
        "two servers of three lose power, on k3s",
        ("VK801",),
        holder=_K,
        anonymous=False,
    ),
    Fault("healthy-kube-vip", "nothing, with kube-vip", (), holder=_V),
    Fault(
        "slow-etcd",
        "every fsync of every etcd takes 1.5 s, and kube-vip loses its Lease",
        ("VK807",),
        holder=_V,
    ),
    Fault(
        "slow-etcd-no-lease",
        "the same, with keepalived, which needs no Lease",
        ("VK814",),
        holder=_U,
    ),
    Fault("clocks-apart", "the clock of a server is an hour ahead; nothing needs it", ()),
    Fault(
        "clock-ahead",
        "the clock of the holder is a day ahead, and so is its new certificate",
        ("VK884",),
        holder=_U,
    ),
    Fault(
        "vip-as-node-ip",
        "a server that does not hold the VIP was started with it as `node-ip`",
        ("VK847",),
        ("VK809",),
    ),
    Fault("other-key", "vipkeeper of a server without the VIP has another key", ("VK851",)),
    Fault(
        "no-route",
        "the client has routes to the servers' own addresses and none to the VIP",
        ("VK876",),
    ),
    Fault("standby-on-one", "`vipkeeper standby on` on one server of three", ()),
)
"""Chosen when the others had been run and mended, and before any of these was run itself."""
FAULTS = (*FIRST, *LATER)
"""In the order in which they are played."""

_NOTHING_THERE = (
    "VK828 is true as well: the servers in the box have nothing that would hold the VIP, where a real "
    "cluster's manager would wait for its first start"
)
CHANGED: tuple[tuple[str, str], ...] = (
    ("server-not-a-url", _NOTHING_THERE + "; so is VK821, since it is the only server"),
    ("first-joins-vip", _NOTHING_THERE),
)
"""Expectations that were wrong themselves: the name of the fault, and why."""
