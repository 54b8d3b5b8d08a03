"""What is true of the world, whatever the daemons believe: written by simulator and lab, judged by
`core.invariants`.

Facts name servers as the configuration does; `GATEWAY` and `CLIENT` stand for the other ends of a wire.
A fact holds until the next one of its kind about the same thing.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vipkeeper.core.actions import State
from vipkeeper.core.types import Duration, Settings

GATEWAY = "gateway"
CLIENT = "client"
LOST_ALL = 1000
"""`WireChanged.lost` of a cut wire."""


class DaemonState(enum.Enum):
    """What the daemon of a server is doing, as its kernel sees it."""

    RUNNING = "running"
    STALLED = "stalled"
    """There, but gets no processor (SIGSTOP, starved)."""
    DEAD = "dead"
    """Killed or crashed; nobody cleaned up."""
    STOPPED = "stopped"
    """Ended by itself, or not started yet."""


class ApiState(enum.Enum):
    """What the API server of a server is doing."""

    READY = "ready"
    UNREADY = "unready"
    """Answers 5xx."""
    HANGING = "hanging"
    """Shakes hands, never answers: its etcd has lost the quorum."""
    FROZEN = "frozen"
    """Its kernel accepts; it does not shake hands and never answers."""
    REFUSING = "refusing"


class Disturber(enum.Enum):
    """What on the network is not as it should be, beside wires."""

    GATEWAY_DOWN = "gateway down"
    STRANGER = "another machine has the VIP"
    FABRIC = "the fabric answers ARP for a server"
    WRONG_KEY = "a server has another key"
    REPLAY = "old adverts are sent again"
    OTHER = "something that no fact describes"


class FaultKind(enum.Enum):
    """What can be done to a cluster."""

    POWER_OFF = "power off"
    KILL = "daemon killed"
    STALL = "daemon stalled"
    STUN = "machine stunned"
    SHUTDOWN = "daemon terminated"
    LINK_DOWN = "link down"
    SILENT_PORT = "switch port silent"
    TX_CUT = "sends nothing"
    RX_CUT = "receives nothing"
    CUT = "one-way cut"
    PARTITION = "partition"
    LOSS = "loss"
    BURSTS = "bursts of loss"
    DELAY = "delay"
    DUPLICATION = "duplication"
    REORDERING = "reordering"
    CORRUPTION = "corruption"
    API_UNREADY = "API server unready"
    API_HANGS = "API server hangs"
    API_FROZEN = "API server frozen"
    API_REFUSES = "API server refuses"
    ALL_UNREADY = "all API servers unready"
    PROBER_LOST = "prober lost"
    KERNEL_SLOW = "kernel slow"
    KERNEL_REFUSES = "kernel refuses"
    TIMERS_LATE = "timers late"
    CLOCK_RATE = "clock rate"
    WALL_STEP = "wall clock step"
    FABRIC = "fabric answers for the dead"
    STRANGER = "stranger with the VIP"
    WRONG_KEY = "wrong key"
    REPLAY = "replay"
    GATEWAY_DOWN = "gateway down"
    HANDOVER = "handover"
    STANDBY = "standby"
    RELEASE = "release"
    ADDRESS_DELETED = "VIP deleted"
    OTHER = "something else"


@dataclass(frozen=True, slots=True)
class Configured:
    """A server has these settings. First fact about it; a daemon writes its own behind its header."""

    server: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class StateKnown:
    """The state a node is in where the trace begins, if it ran before."""

    server: str
    state: State


@dataclass(frozen=True, slots=True)
class PowerChanged:
    """The machine is on, or off."""

    server: str
    on: bool


@dataclass(frozen=True, slots=True)
class StunChanged:
    """The whole virtual machine stands still, its clocks too, or goes on."""

    server: str
    on: bool


@dataclass(frozen=True, slots=True)
class DaemonChanged:
    """The daemon runs, is stalled, or is gone."""

    server: str
    state: DaemonState


@dataclass(frozen=True, slots=True)
class VipChanged:
    """The kernel of a server has the VIP, or has it no more."""

    server: str
    present: bool


@dataclass(frozen=True, slots=True)
class AnswersChanged:
    """A server answers ARP for the VIP on the wire, or does not."""

    server: str
    answers: bool


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """Carrier came or went."""

    server: str
    up: bool


@dataclass(frozen=True, slots=True)
class ApiChanged:
    """The API server of a server."""

    server: str
    state: ApiState


@dataclass(frozen=True, slots=True)
class HostChanged:
    """How a server's kernel treats its daemon."""

    server: str
    late: Duration
    """The most by which a timer or an answer to an address action comes late."""
    refuses: bool
    """Changes of addresses can fail."""


@dataclass(frozen=True, slots=True)
class ClockChanged:
    """A server's clock runs at this rate, in thousandths of the true one."""

    server: str
    rate: int


@dataclass(frozen=True, slots=True)
class WallClockStepped:
    """The time of day of a server jumped; no decision may depend on it."""

    server: str
    by: Duration


@dataclass(frozen=True, slots=True)
class WireChanged:
    """One direction between two ends."""

    source: str
    target: str
    lost: int
    """Thousandths of the packets; 1000: cut."""
    delay: Duration
    """The most a packet takes that arrives."""
    bursts: bool = False
    """Losses come in bursts."""


@dataclass(frozen=True, slots=True)
class DisturberChanged:
    """Something that should not be there came or went."""

    disturber: Disturber
    server: str | None
    on: bool


@dataclass(frozen=True, slots=True)
class ServedChanged:
    """Who serves the client at the VIP, by its own ARP cache; null: nobody."""

    server: str | None


@dataclass(frozen=True, slots=True)
class FaultInjected:
    """Something was done to the cluster, or undone (`began` false)."""

    kind: FaultKind
    server: str | None
    began: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Healed:
    """From here on nothing is done to the cluster any more; what is dead stays dead."""


@dataclass(frozen=True, slots=True)
class Escaped:
    """An exception left a node: never allowed."""

    server: str
    text: str


Fact = (
    Configured
    | StateKnown
    | PowerChanged
    | StunChanged
    | DaemonChanged
    | VipChanged
    | AnswersChanged
    | LinkChanged
    | ApiChanged
    | HostChanged
    | ClockChanged
    | WallClockStepped
    | WireChanged
    | DisturberChanged
    | ServedChanged
    | FaultInjected
    | Healed
    | Escaped
)
