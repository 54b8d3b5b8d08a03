"""A recorded run of the lab as data: what `drill` writes as JSON and every picture is drawn from.

All times are seconds from the start of the act on one kernel clock (CLOCK_BOOTTIME of the lab host).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

SCHEMA_VERSION = 1
LATE = "probes late by at most"
"""The condition of a run by which its figures are uncertain, besides the interval of their probe."""
API_LATE = "API server late by at most"
"""How late a stand-in of an API server woke: so much of a service outage may be the lab's own."""
TOO_SLOW = "the host was too slow: "
"""How the reason of an act begins that was skipped for that, and not since the host lacks something."""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of time."""

    start: float
    end: float


class MarkerKind(enum.Enum):
    """What a vertical mark in the timeline stands for."""

    FAULT = "fault"
    HEALED = "healed"
    DETECTED = "detected"
    """A daemon began to act on it. Never in a record: drawn from `Milestones`, like the other two."""
    ELECTED = "elected"
    CLAIMED = "claimed"
    """The VIP appeared on the server (kernel address event)."""
    ANNOUNCED = "announced"
    RELEASED = "released"
    """The VIP left the server (kernel address event)."""
    CLIENT_BACK = "client back"
    STATE = "state"
    """A daemon changed its mind; only in what is drawn from a trace."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that happened at one instant."""

    at: float
    kind: MarkerKind
    text: str
    server: str | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """One server: when the VIP was on its interface (from the kernel) and when the wire saw it answer."""

    server: str
    held: tuple[Span, ...]
    answered: tuple[Span, ...]
    """From the observer's broadcast ARP probes: spans in which this server's MAC answered."""
    said: tuple[Span, ...] = ()
    """Its adverts said that it holds; all there is of a peer in the trace of one host."""


@dataclass(frozen=True, slots=True)
class Client:
    """What a client saw."""

    interval_ms: float
    """Time between two probes: the resolution of every outage figure."""
    sent: int
    lost: int
    gaps: tuple[Span, ...]
    """Spans without service: those longer than five intervals, and the longest one after the fault."""


@dataclass(frozen=True, slots=True)
class Milestones:
    """The first takeover after a fault, as the daemons' traces tell it; None: nobody wrote it down.

    `back` is the client's word. Each is a point on the act's clock, and none is before an earlier one.
    """

    server: str
    """Who took over."""
    fault: float | None
    """What everything is counted from; None where no fault is known, as on a production host."""
    detected: float
    """A daemon began to act on it: it left a state of rest, or its holder began to give the VIP away."""
    elected: float
    """The new holder decided to claim."""
    claimed: float | None
    """The VIP was in its kernel."""
    announced: float | None
    """It sent its first gratuitous ARP."""
    back: float | None = None
    """The client was answered again."""


class StationRole(enum.Enum):
    """What a machine on the LAN is for."""

    SERVER = "server"
    ROUTER = "router"
    CLIENT = "client"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True)
class Station:
    """One machine with a port of the bridge."""

    name: str
    role: StationRole
    address: str


@dataclass(frozen=True, slots=True)
class Network:
    """The LAN an act was played on."""

    bridge: str
    vip: str
    stations: tuple[Station, ...]


class Verdict(enum.Enum):
    """Whether an act went as it must."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    RECORDED = "recorded"
    """Nobody judged: a stretch of a trace."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing the act must show, judged from the kernel and the wire."""

    text: str
    met: bool
    found: str = ""


@dataclass(frozen=True, slots=True)
class ActResult:
    """One act of a drill, run once."""

    name: str
    title: str
    story: str
    """One or two sentences: what happens and what a reader should look for."""
    run: int
    length: float
    verdict: Verdict
    reason: str
    """Why it failed or was skipped; empty when it passed."""
    outage_ms: float | None
    """Longest stretch the UDP client was not answered after the fault; None when not measured."""
    service_outage_ms: float | None
    """Longest stretch without a TLS ServerHello after the fault; None when not measured."""
    two_holders_ms: float
    """Time in which two distinct MACs answered for the VIP on the wire."""
    left_behind: bool
    """The VIP was still on a server whose daemon is gone at the end of the act."""
    moves: int
    lanes: tuple[Lane, ...]
    udp: Client
    tls: Client
    faults: tuple[Span, ...]
    markers: tuple[Marker, ...]
    expectations: tuple[Expectation, ...] = ()
    milestones: Milestones | None = None
    """None: there was no takeover, or no daemon wrote a trace."""
    network: Network | None = None
    """None in a record of an older version, and of what was not played in the lab."""
    observed: bool = True
    """Somebody watched who answers on the wire; otherwise `answered` is empty for want of an observer."""
    api_late_ms: float | None = None
    """How late a running stand-in of an API server woke after the fault, at worst; None: nobody measured it."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """A whole drill."""

    tool_version: str
    started_at: str
    """Wall clock, RFC 3339, UTC."""
    manager: str
    """Who held the VIP: vipkeeper, keepalived, ..."""
    conditions: dict[str, str]
    """Kernel, cores, Python, advert interval, profile, namespaces or user namespaces, ..."""
    acts: tuple[ActResult, ...]
    notes: tuple[str, ...] = ()
    schema_version: int = field(default=SCHEMA_VERSION)
