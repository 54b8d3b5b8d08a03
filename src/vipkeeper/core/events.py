"""Everything that can happen to a node."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from vipkeeper.core.types import OLDEST_STAMP, HostView, Instant, Record, Settings
from vipkeeper.wire.types import Advert, IPAddress, Rejection


@dataclass(frozen=True, slots=True)
class Started:
    """The daemon has its sockets open. First event of every run."""

    host: HostView
    record: Record | None
    """The record of an earlier run under this boot of the host; None when there is none."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline may have come. All received packets have been delivered before it."""


@dataclass(frozen=True, slots=True)
class AdvertReceived:
    """A well-formed, authenticated advert arrived."""

    source: IPAddress
    advert: Advert
    received: Instant
    """When the kernel received it, not when we read it; at most `OLDEST_STAMP` before that."""

    def read_at(self, now: Instant) -> AdvertReceived:
        """As a host gives it that reads it only now."""
        oldest = now - OLDEST_STAMP
        return self if self.received >= oldest else replace(self, received=oldest)


@dataclass(frozen=True, slots=True)
class AdvertRejected:
    """Bytes that are no acceptable advert arrived on the advert port."""

    source: IPAddress
    reason: Rejection


class Channel(enum.Enum):
    """Through what the VIP answered."""

    ARP = "arp"
    """ARP reply, or neighbour advertisement for IPv6: the answer of a kernel or of a fabric."""
    ECHO = "echo"
    """Reply to a unicast ICMP echo or SYN (a reset counts): a living kernel."""


ARP, ECHO = Channel.ARP, Channel.ECHO


@dataclass(frozen=True, slots=True)
class VipAnswered:
    """Another host answered for the VIP after a `ProbeVips`."""

    vip: IPAddress
    mac: bytes
    channel: Channel


class Sign(enum.Enum):
    """What a server showed of itself after a `ProbeServer`."""

    KERNEL = "kernel"
    """ARP reply or neighbour advertisement for its own address, or a refused connection."""
    SERVICE = "service"
    """A TLS ServerHello of its API server."""


@dataclass(frozen=True, slots=True)
class ServerAnswered:
    """A server's own address answered after a `ProbeServer`; its daemon may be dead all the same."""

    server: int
    """Index in the configured order."""
    sign: Sign


@dataclass(frozen=True, slots=True)
class GatewayAnswered:
    """The gateway answered after a `ProbeGateway`: this server can send and receive."""


@dataclass(frozen=True, slots=True)
class NeighboursRead:
    """What the kernel's neighbour table says of the servers, in answer to `ReadNeighbours`."""

    macs: tuple[tuple[IPAddress, bytes], ...]
    """(server address, MAC) for every server that has an entry with a MAC."""


@dataclass(frozen=True, slots=True)
class ForeignClaimSeen:
    """A frame of another MAC claims the VIP without being asked (gratuitous ARP, unsolicited NA)."""

    vip: IPAddress
    mac: bytes


class CheckName(enum.Enum):
    """What a health check looks at."""

    API = "api"
    SUPERVISOR = "supervisor"
    EXTRA = "extra"
    """User-defined checks, all of them together."""


class Outcome(enum.Enum):
    """What one health check found."""

    OK = "ok"
    SOFT = "soft"
    """Fails, but a healthy control plane does so for seconds: 5xx, time-out."""
    HARD = "hard"
    """Nobody is there: refused or reset."""
    UNKNOWN = "unknown"
    """Could not be judged (the check itself is broken)."""
    STALLED = "stalled"
    """The kernel accepts and nobody answers, not even a TLS handshake: the process stands still."""


@dataclass(frozen=True, slots=True)
class HealthSampled:
    """The prober reports one sample."""

    check: CheckName
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ProberLost:
    """The prober is gone: health is unknown from now on, not bad."""


@dataclass(frozen=True, slots=True)
class HostObserved:
    """Interface or addresses of this host changed (or may have); a fresh view."""

    host: HostView


class AddressOutcome(enum.Enum):
    """How an action on the addresses ended."""

    DONE = "done"
    LAPSED = "lapsed"
    """The lease had ended before or while the kernel was asked; the address was deleted."""
    FAILED = "failed"
    """The kernel refused. An ADD has left nothing; a RENEW has left what there was."""


@dataclass(frozen=True, slots=True)
class AddressesDone:
    """An address action has ended."""

    id: int
    outcome: AddressOutcome
    started: Instant
    """Clock before the kernel was asked."""
    finished: Instant
    detail: str = ""


class Verb(enum.Enum):
    """What an operator may ask of a live daemon."""

    RELEASE = "release"
    STANDBY_ON = "standby on"
    STANDBY_OFF = "standby off"
    HANDOVER = "handover"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True)
class Commanded:
    """An operator (or SIGTERM) asks for something; answered by one `Reply` with the same id."""

    id: int
    verb: Verb
    to: str | None = None
    """For a handover: the server to hand over to; None: the best-ranked one."""
    force: bool = False


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """New settings are in force (same own server)."""

    settings: Settings


Event = (
    Started
    | Tick
    | AdvertReceived
    | AdvertRejected
    | VipAnswered
    | ServerAnswered
    | GatewayAnswered
    | NeighboursRead
    | ForeignClaimSeen
    | HealthSampled
    | ProberLost
    | HostObserved
    | AddressesDone
    | Commanded
    | Reconfigured
)
