"""One server of a trace: its machine, its daemon, and what it heard of the others."""

from __future__ import annotations

from dataclasses import dataclass, field

from vipkeeper.core.actions import State
from vipkeeper.core.facts import ApiState, DaemonState
from vipkeeper.core.types import MILLISECOND, Duration, Instant, Settings
from vipkeeper.wire.types import Advert, IPAddress

TRUE_RATE = 1000
FIT_LATENESS: Duration = 5 * MILLISECOND
"""A server whose timers and kernel are later than this is disturbed."""
RATE_TOLERANCE = 60
"""Thousandths by which a clock may be off and the server still count as fit."""


@dataclass(slots=True)
class Heard:
    """What one server has of another: the newest advert that it must have accepted."""

    proven: int = 0
    """Boot id of a run that showed that it hears this one; 0: none."""
    over: set[int] = field(default_factory=set)
    """Boot ids of earlier runs: whatever comes of them is old."""
    advert: Advert | None = None
    received: Instant = 0
    """By the hearer's clock."""
    serving_since: Instant | None = None


@dataclass(slots=True)
class ServerSituation:
    """One server. Local instants are those of its own clock."""

    name: str
    index: int
    settings: Settings
    power: bool = True
    stunned: bool = False
    daemon: DaemonState = DaemonState.STOPPED
    vip: bool = False
    answers: bool = False
    link: bool = True
    api: ApiState = ApiState.READY
    api_before: ApiState = ApiState.READY
    """What its API server did before that."""
    api_since: Instant = 0
    late: Duration = 0
    refuses: bool = False
    fit_lateness: Duration = FIT_LATENESS
    """A lateness up to this does not count as disturbed."""
    rate: int = TRUE_RATE
    changed_at: Instant = 0
    """When one of the above that disturbs it last changed."""
    state: State = State.STOPPED
    state_since: Instant = 0
    boot_id: int = 0
    """Of the running daemon, as its adverts say; 0: none sent yet."""
    advert_at: Instant = 0
    """When its newest advert left."""
    standby: bool = False
    """As its newest advert says: it must not be chosen."""
    sound_at: Instant = 0
    """Local: when anything last arrived from the network."""
    stalled: Duration = 0
    """Local: how long its daemon has been stalled altogether, until `_counted_at`."""
    stalled_at_sound: Duration = 0
    """Local: the same when anything last arrived."""
    suspected_at: Instant = 0
    """Local: when it last entered `suspect`."""
    gateway: IPAddress | None = None
    """Whom its host has a route through."""
    gateway_proven: IPAddress | None = None
    """The gateway that has answered under this boot of the host, as far as its daemon can know."""
    heard: dict[str, Heard] = field(default_factory=dict)
    _counted_at: Instant = 0

    @property
    def runs(self) -> bool:
        """The daemon gets processor time."""
        return self.power and not self.stunned and self.daemon is DaemonState.RUNNING

    @property
    def gone(self) -> bool:
        """Without power or daemon."""
        return not self.power or self.daemon in (DaemonState.DEAD, DaemonState.STOPPED)

    @property
    def fit_itself(self) -> bool:
        """Nothing is wrong with the machine and its daemon."""
        quick = self.late <= self.fit_lateness and not self.refuses
        return self.runs and self.link and quick and abs(self.rate - TRUE_RATE) <= RATE_TOLERANCE

    def count_stall(self, at: Instant) -> None:
        """Add what has passed since the last look; before rate, stun or daemon change."""
        if self.daemon is DaemonState.STALLED and not self.stunned:
            self.stalled += (at - self._counted_at) * self.rate // TRUE_RATE
        self._counted_at = at

    def sound(self, local: Instant) -> None:
        """Something arrived from the network."""
        self.sound_at = local
        self.stalled_at_sound = self.stalled

    def quiet(self, local: Instant) -> Duration:
        """For how long a running daemon has heard nothing, by its clock."""
        return local - self.sound_at - (self.stalled - self.stalled_at_sound)

    def stretched(self, duration: Duration) -> Duration:
        """The longest true time that this clock takes to count a duration."""
        return duration * TRUE_RATE // min(self.rate, TRUE_RATE)
