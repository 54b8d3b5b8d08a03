"""Everything a node may ask of its shell: carried out in the order given, what only tells at the end."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vipkeeper.core.types import Duration, Instant, Record
from vipkeeper.wire.types import Advert, IPAddress


@dataclass(frozen=True, slots=True)
class SendAdvert:
    """Send the advert to each address; best effort, a failure is only counted."""

    advert: Advert
    to: tuple[IPAddress, ...]


@dataclass(frozen=True, slots=True)
class ProbeVips:
    """Ask once on the wire whether the VIP answers: broadcast ARP / NS, then a unicast echo to every
    MAC that answers. Answers come as `VipAnswered`."""


@dataclass(frozen=True, slots=True)
class ProbeServer:
    """Ask once whether a server's kernel lives (ARP / NS for its own address) and, with `service`,
    whether its API server does (TCP to its port, ClientHello). Answers come as `ServerAnswered`."""

    server: int
    """Index in the configured order."""
    service: bool


@dataclass(frozen=True, slots=True)
class ProbeGateway:
    """Ask once whether the gateway of the host's view answers ARP / NS. Answered by `GatewayAnswered`."""


@dataclass(frozen=True, slots=True)
class ReadNeighbours:
    """Read the servers' MACs from the kernel's neighbour table. Answered by `NeighboursRead`."""


class AddressOperation(enum.Enum):
    """What to do with all VIPs together."""

    ADD = "add"
    """Put every VIP on its interface, behind the server's own addresses, with the lifetime."""
    RENEW = "renew"
    """Restart the lifetime. Deletes at once if `not_after` has passed before or after the call."""
    REMOVE = "remove"
    """Take every VIP of ours off. Success when it is already gone; a permanent one is not touched."""
    REORDER = "reorder"
    """Remove and add again, so that the server's own address comes first."""


@dataclass(frozen=True, slots=True)
class ChangeAddresses:
    """Change the VIPs on this host's interface. Answered by `AddressesDone` with the same id."""

    id: int
    operation: AddressOperation
    lifetime: Duration = 0
    not_after: Instant | None = None
    """End of the running lease; ADD and REMOVE have none."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Send one round of gratuitous ARP (request and reply) or unsolicited NA for every VIP."""


@dataclass(frozen=True, slots=True)
class SaveRecord:
    """Remember this across a restart of the daemon (in /run, tied to the host's boot)."""

    record: Record


class Cause(enum.Enum):
    """Why the node changed its state; the `history` verb prints these."""

    STARTED = "started"
    ADOPTED = "adopted own VIP after a restart"
    FIRST_CLAIM = "nobody held the VIP"
    HOLDER_SILENT = "holder silent"
    LEASE_LAPSED_ELSEWHERE = "holder's daemon silent, its VIP stopped answering"
    UNCONDITIONAL = "held off for long enough"
    NAMED_SUCCESSOR = "named successor"
    HOLDER_RESIGNED = "holder resigned"
    HOLDER_HEARD = "holder heard"
    HOLDER_VOUCHED = "another server hears the holder"
    VIP_ANSWERS = "VIP still answers"
    KERNEL_ANSWERS = "holder's kernel still answers"
    STRANGER_HEARD = "adverts that cannot be trusted arrive"
    UNHEARD = "another holder does not hear this server"
    WITNESSED = "another server hears both holders and follows the other"
    DEAF = "hears nobody, not even the gateway"
    HEARS_AGAIN = "hears again"
    BUDGET_SPENT = "too many claims in ten minutes"
    NEWER_EPOCH = "a newer claim exists"
    BETTER_RANK = "a better-ranked server claimed at the same time"
    API_DOWN = "API server refused connections"
    API_STALLED = "API server stands still"
    API_UNREADY = "API server unready"
    PREEMPTED = "better-ranked server ready again"
    HANDOVER = "handover asked for"
    RELEASED = "release asked for"
    STANDBY = "standby asked for"
    SHUTDOWN = "daemon stops"
    LEASE_LAPSED = "own lease lapsed"
    ADDRESS_LOST = "VIP deleted by somebody else"
    ADDRESS_FAILED = "kernel refused the VIP"
    LINK_LOST = "interface, carrier or own address lost"
    LINK_BACK = "interface usable again"
    FOREIGN_HOLDER = "another machine answers for the VIP"
    FOREIGN_ADDRESS = "the VIP is a permanent address of this host"
    PEER_READY = "unready and alone, a ready server appeared"


class State(enum.Enum):
    """What this server is doing about the VIP."""

    LISTEN = "listen"
    BACKUP = "backup"
    SUSPECT = "suspect"
    HOLDOFF = "holdoff"
    DEAF = "deaf"
    HELD = "held"
    CLAIM = "claim"
    HOLDER = "holder"
    RELEASE = "release"
    STANDBY = "standby"
    BLOCKED = "blocked"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Transition:
    """The state changed; goes to log, history, metrics and trace."""

    before: State
    after: State
    cause: Cause
    epoch: int
    peer: str | None = None
    """The server this is about, where there is one."""
    detail: str = ""


class AlarmKind(enum.Enum):
    """What an operator must be told although the node goes on."""

    ADVERT_REJECTED = "adverts rejected"
    CONFIGURATION_DIFFERS = "a server has another vip or servers list"
    TWO_HOLDERS = "two servers hold the VIP"
    FOREIGN_ANSWER = "another machine answers for the VIP"
    PERMANENT_VIP = "the VIP is a permanent address of this host"
    ADDRESS_DELETED = "somebody deleted the VIP"
    ADDRESS_FAILED = "the kernel refused the VIP"
    NO_SUCCESSOR = "no successor"
    DEAF = "this server hears nobody"
    BUDGET_SPENT = "too many claims in ten minutes"
    LATE = "the daemon ran late"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something an operator should know; the core says the same thing at most once a minute."""

    kind: AlarmKind
    detail: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a `Commanded`."""

    id: int
    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Exit:
    """Everything is released and told: the process may end."""


Action = (
    SendAdvert
    | ProbeVips
    | ProbeServer
    | ProbeGateway
    | ReadNeighbours
    | ChangeAddresses
    | Announce
    | SaveRecord
    | Transition
    | Alarm
    | Reply
    | Exit
)
