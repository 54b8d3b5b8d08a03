"""What a node knows, as one snapshot for status, metrics and the control socket."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.core.actions import AlarmKind, State
from vipkeeper.core.events import CheckName, Outcome
from vipkeeper.core.types import Duration, HostView, Instant
from vipkeeper.wire.types import Health, IPAddress, Rejection, Role


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server as this node sees it; for the node itself what it would advertise."""

    name: str
    address: IPAddress
    own: bool
    role: Role | None
    """None when never heard."""
    health: Health
    standby: bool
    epoch: int
    last_advert_age: Duration | None
    """Since its last accepted advert; None when never heard; 0 for the node itself."""
    live: bool
    """Heard within the suspect time (the node itself: always)."""
    configuration_differs: bool
    adverts_received: int


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """The last sample of one health check."""

    check: CheckName
    outcome: Outcome
    detail: str
    age: Duration


@dataclass(frozen=True, slots=True)
class AlarmStatus:
    """How often something happened that an operator should know."""

    kind: AlarmKind
    count: int
    last: Instant
    detail: str


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """The whole snapshot."""

    at: Instant
    server: str
    state: State
    since: Instant
    epoch: int
    holder: str | None
    """The server that holds the VIP as far as this node knows."""
    successor: str | None
    """Who would claim if the holder (this node or another) went; None: nobody, say so aloud."""
    vips: tuple[IPAddress, ...]
    lease_until: Instant | None
    """End of the kernel lease of our VIP; None when we do not hold."""
    health: Health
    checks: tuple[CheckStatus, ...]
    standby: bool
    host: HostView | None
    servers: tuple[ServerStatus, ...]
    alarms: tuple[AlarmStatus, ...]
    rejected: tuple[tuple[Rejection, int], ...]
    transitions: tuple[tuple[str, str, int], ...]
    """(state entered, cause name, count)."""
    adverts_sent: int
    announcements_sent: int
