"""Every key of cluster.yaml as data: what it takes, its default, what it is for.

The loader, the JSON Schema and the reference in docs/configuration.md all read this table, so that none of
them can promise what another does not keep.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from vipkeeper.config.cluster import (
    DEFAULT_KEY_FILE,
    DEFAULT_PORT,
    MS,
    SECOND,
    CheckKind,
    CountsAs,
    Distribution,
    Election,
    GatewayMode,
    LeaseWord,
    LogFormat,
    Profile,
    WhenUnready,
)

MAX_SERVERS = 31
SERVER_NAME = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?"
INTERFACE_NAME = r"(?!\.{1,2}$)[^/\s:]{1,15}"
"""What the kernel takes as the name of an interface (dev_valid_name in net/core/dev.c)."""
PATH = r"/[^\x00-\x1f\x7f\ud800-\udfff]*"
TARGET = r"(\[[0-9a-fA-F:.]+\]|[^\s:/]+):([0-9]{1,5})"
URL = r"https?://(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})(/\S*)?"
LISTEN = r"(127\.[0-9.]+|\[::1\]):([0-9]{1,5})"


E = TypeVar("E", bound=enum.Enum)
K_co = TypeVar("K_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Choice(Generic[E]):
    """One word of an enum; `later` are words of coming versions, refused with a reason of their own."""

    words: type[E]
    default: E
    later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Time:
    """A length of time in nanoseconds, written with its unit: 100ms, 3s, 1m."""

    default: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class TimeOrWord(Generic[E]):
    """A length of time, or a word instead of it; `example` is a time as it may be given."""

    words: type[E]
    default: E
    example: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number. `taken` are those that belong to something else on such a host."""

    default: int
    low: int
    high: int
    taken: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    default: bool


@dataclass(frozen=True, slots=True)
class Text:
    """Text of a form; what the default does is said in words where it is no text."""

    pattern: str
    form: str
    default: str | None = None
    default_means: str = "none"


@dataclass(frozen=True, slots=True)
class Addresses:
    """One IP address or a list of them."""


@dataclass(frozen=True, slots=True)
class AddressOr(Generic[E]):
    """One IP address, or one word of an enum."""

    words: type[E]
    default: E


@dataclass(frozen=True, slots=True)
class Servers:
    """NAME: ADDRESS, one a line; the order counts."""


@dataclass(frozen=True, slots=True)
class Words:
    """A list of words: a program and its arguments."""


@dataclass(frozen=True, slots=True)
class Group:
    """Keys below this key."""

    keys: tuple[AnyKey, ...]


@dataclass(frozen=True, slots=True)
class CheckList:
    """A list of health checks. What a check takes depends on its type."""


@dataclass(frozen=True, slots=True)
class Key(Generic[K_co]):
    """One key: its name, what it takes, what it is for."""

    name: str
    kind: K_co
    help: str
    required: bool = False


AnyKey = Key[
    Choice[Any]
    | Time
    | TimeOrWord[Any]
    | Number
    | Flag
    | Text
    | Addresses
    | AddressOr[Any]
    | Servers
    | Words
    | Group
    | CheckList
]

VIP = Key("vip", Addresses(), "The address clients use, or a list of them.", required=True)
SERVERS = Key(
    "servers", Servers(), "All control-plane servers, in order of preference.", required=True
)
DISTRIBUTION = Key(
    "distribution",
    Choice(Distribution, Distribution.RKE2),
    "Whose control plane it is: decides the health checks. `none` has none of its own.",
)
KEY_FILE = Key(
    "key_file",
    Text(PATH, "an absolute path", str(DEFAULT_KEY_FILE)),
    "The key that authenticates adverts, the same on every server.",
)
INTERFACE = Key(
    "interface",
    Text(INTERFACE_NAME, "the name of an interface", None, "the one whose subnet holds the VIP"),
    "Where the VIP is put.",
)
GATEWAY = Key(
    "gateway",
    AddressOr(GatewayMode, GatewayMode.AUTO),
    "A machine in the VIP's subnet that always answers ARP or neighbour solicitations. It is asked when no "
    "server is heard, to tell whether this server is deaf. `auto`: the next hop of a route; `none`: nobody.",
)
PORT = Key(
    "port",
    Number(
        DEFAULT_PORT,
        1024,
        65535,
        (
            (2379, "etcd"),
            (2380, "etcd"),
            (4789, "VXLAN"),
            (6443, "the API server"),
            (8472, "VXLAN"),
            (9345, "the RKE2 supervisor"),
            (51820, "WireGuard"),
            (51821, "WireGuard"),
        ),
    ),
    "The UDP port of adverts, the same on every server.",
)
ADVERT_INTERVAL = Key(
    "advert_interval",
    Time(100 * MS, 10 * MS, 5 * SECOND),
    "Time between two adverts of a server. Shorter finds a dead holder sooner.",
)
PROFILE = Key(
    "profile",
    Choice(Profile, Profile.BARE_METAL),
    "How patient silence is judged: a holder is suspect after 2 (`bare-metal`) or 3 (`vm`) intervals.",
)
ELECTION = Key(
    "election",
    Choice(Election, Election.PEERS, ("vrrp", "etcd", "kubernetes")),
    "How the servers agree on the holder.",
)
KERNEL_LEASE = Key(
    "kernel_lease",
    TimeOrWord(LeaseWord, LeaseWord.AUTO, 3 * SECOND, 2 * SECOND, 60 * SECOND),
    "The kernel removes the VIP this long after the daemon last renewed it. Whole seconds, and at least "
    "4 times `advert_interval`. `auto` is 3s. `strict` is 3s as well, and the packet filter silences the "
    "VIP once the daemon was silent for 400ms or 4 times `advert_interval`, whichever is longer; its needs "
    "and its price are in [strict-lease.md](strict-lease.md).",
)
MOVE_BUDGET = Key(
    "move_budget",
    Number(6, 0, 1000),
    "Claims of a server in ten minutes after which it holds back; 0: never.",
)
PREEMPT = Key(
    "preempt",
    Flag(False),
    "Whether a server earlier in `servers` takes the VIP back once it is ready again.",
)
PREEMPT_DELAY = Key(
    "preempt_delay",
    Time(30 * SECOND, 0, 3600 * SECOND),
    "How long it must have been ready before it does.",
)
WHEN_UNREADY = Key(
    "when_unready",
    Choice(WhenUnready, WhenUnready.HOLD),
    "What the holder does while no server is ready.",
)
CHECKS = Key(
    "checks",
    CheckList(),
    "Health checks instead of those of `distribution`. An empty list: no checks, every server counts as "
    "ready.",
)
CLIENT_CERTIFICATE = Key(
    "client_certificate",
    Text(PATH, "an absolute path"),
    "A client certificate for checks over https. Goes together with `client_key`.",
)
CLIENT_KEY = Key(
    "client_key",
    Text(PATH, "an absolute path"),
    "Its private key; read by the prober process only.",
)
CA_FILE = Key(
    "ca_file",
    Text(PATH, "an absolute path"),
    "Certificates of the authorities that checks over https trust.",
)
LISTEN_ADDRESS = Key(
    "listen",
    Text(LISTEN, "a loopback address with a port, such as 127.0.0.1:9347", None, "nowhere"),
    "Where Prometheus metrics are served. Loopback only.",
)
TEXTFILE = Key(
    "textfile",
    Text(PATH, "an absolute path", None, "nowhere"),
    "A file for the textfile collector of the node exporter, which reads names that end in .prom.",
)
METRICS = Key("metrics", Group((LISTEN_ADDRESS, TEXTFILE)), "Where metrics are offered.")
LOG_FORMAT = Key(
    "log_format", Choice(LogFormat, LogFormat.TEXT), "How the daemon writes its log lines."
)

KEYS: tuple[AnyKey, ...] = (
    VIP,
    SERVERS,
    DISTRIBUTION,
    KEY_FILE,
    INTERFACE,
    GATEWAY,
    PORT,
    ADVERT_INTERVAL,
    PROFILE,
    ELECTION,
    KERNEL_LEASE,
    MOVE_BUDGET,
    PREEMPT,
    PREEMPT_DELAY,
    WHEN_UNREADY,
    CHECKS,
    CLIENT_CERTIFICATE,
    CLIENT_KEY,
    CA_FILE,
    METRICS,
    LOG_FORMAT,
)

CHECK_TYPE = Key("type", Choice(CheckKind, CheckKind.TCP), "What the check does.", required=True)
CHECK_COUNTS_AS = Key(
    "counts_as",
    Choice(CountsAs, CountsAs.EXTRA),
    "Which part of the server's health it speaks for.",
)
CHECK_TIMEOUT = Key(
    "timeout",
    Time(3 * SECOND, 100 * MS, 30 * SECOND),
    "After this time without an answer the check has failed.",
)
CHECK_INTERVAL = Key(
    "interval", Time(SECOND, 200 * MS, 60 * SECOND), "Time between two runs of the check."
)
CHECK_TARGET = Key(
    "target",
    Text(TARGET, "HOST:PORT, such as 127.0.0.1:6443"),
    "Passes when a connection is accepted there.",
    required=True,
)
CHECK_URL = Key(
    "url",
    Text(URL, "a URL with its port, such as https://127.0.0.1:6443/readyz"),
    "Passes when a GET is answered with `expect_status`.",
    required=True,
)
CHECK_STATUS = Key("expect_status", Number(200, 100, 599), "The status that means ready.")
CHECK_COMMAND = Key(
    "command",
    Words(),
    "A list, its first word an absolute path. Run without a shell; passes when it exits with 0.",
    required=True,
)

CHECK_COMMON: tuple[AnyKey, ...] = (CHECK_TYPE, CHECK_COUNTS_AS, CHECK_TIMEOUT, CHECK_INTERVAL)
CHECK_OWN: dict[CheckKind, tuple[AnyKey, ...]] = {
    CheckKind.TCP: (CHECK_TARGET,),
    CheckKind.HTTP: (CHECK_URL, CHECK_STATUS),
    CheckKind.EXEC: (CHECK_COMMAND,),
}
