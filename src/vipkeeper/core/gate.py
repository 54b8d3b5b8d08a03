"""Health with hysteresis: from the prober's samples to one `Health`.

Limits follow what a real control plane does: healthy API servers answer 500 for 4-7 s whenever any
etcd leader dies, so a soft failure only lowers the rank here and the election waits before it acts
(`Settings.soft_failure_after`); a refused connection means that nobody is there, and a second refusal
50 ms later is proof enough to act at once. So is a server that shakes no hands for as long as the prober
waits: no handshake ever waits for etcd.
"""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.core.events import CheckName, Outcome
from vipkeeper.core.status import CheckStatus
from vipkeeper.core.types import MILLISECOND, Instant
from vipkeeper.wire.types import Health

HARD_CONFIRMED_AFTER = 50 * MILLISECOND
"""A refusal counts as hard when another one at least this much earlier came without a success between."""
RISE = 2
UNREADY = Health.UNREADY
"""Good samples in a row that lift a check that had failed."""


@dataclass(slots=True)
class _Check:
    """One check's samples, judged."""

    latest: Outcome = Outcome.UNKNOWN
    detail: str = ""
    at: Instant = 0
    failing: Outcome | None = None
    """SOFT, HARD (confirmed) or STALLED while the check counts as failed."""
    refused_since: Instant | None = None
    good: int = 0
    known: bool = False

    def sample(self, outcome: Outcome, detail: str, now: Instant) -> None:
        self.latest, self.detail, self.at = outcome, detail, now
        if outcome is not Outcome.HARD:
            self.refused_since = None
        if outcome is Outcome.UNKNOWN:
            self.known = False
            self.failing = None
            self.good = 0
        elif outcome is Outcome.OK:
            self.good += 1
            if self.failing is None or self.good >= RISE:
                self.failing = None
                self.known = True
        elif outcome in (Outcome.SOFT, Outcome.STALLED):
            self.good = 0
            self.known = True
            self.failing = outcome
        else:
            self.good = 0
            if self.refused_since is None:
                self.refused_since = now
                # Not yet bad, but nobody should hand the VIP to this server in the meantime.
                self.known = self.known and self.failing is not None
            elif now - self.refused_since >= HARD_CONFIRMED_AFTER:
                self.known = True
                self.failing = Outcome.HARD


class Gate:
    """What the health checks of this server amount to."""

    def __init__(self, *, checked: bool) -> None:
        """`checked` is False when no checks are configured: the server then counts as ready."""
        self._checked = checked
        self._checks: dict[CheckName, _Check] = {}
        self.health = Health.UNKNOWN if checked else Health.READY
        self.unready_since: Instant | None = None
        """Start of the present stretch of `Health.UNREADY`; None when not unready."""

    @property
    def refused(self) -> bool:
        """True when a failing check was refused twice: nobody is there."""
        return self._fails(Outcome.HARD)

    @property
    def stalled(self) -> bool:
        """True when a failing check met a server that stands still: somebody is there, who serves nobody."""
        return self._fails(Outcome.STALLED)

    def sample(self, check: CheckName, outcome: Outcome, detail: str, now: Instant) -> None:
        """Take one sample of the prober."""
        self._checks.setdefault(check, _Check()).sample(outcome, detail, now)
        self._judge(now)

    def lost(self, now: Instant) -> None:
        """The prober is gone: all is unknown, nothing is bad."""
        for check in self._checks.values():
            check.sample(Outcome.UNKNOWN, "the prober does not answer", now)
        self._judge(now)

    def reconfigured(self, *, checked: bool, now: Instant) -> None:
        """The configured checks may be others now."""
        if checked != self._checked:
            self._checked = checked
            self._checks.clear()
        self._judge(now)

    def checks(self, now: Instant) -> tuple[CheckStatus, ...]:
        """The last sample of each check, for status."""
        return tuple(
            CheckStatus(name, check.latest, check.detail, max(0, now - check.at))
            for name, check in self._checks.items()
        )

    def _fails(self, outcome: Outcome) -> bool:
        return any(
            check.failing is outcome
            for name, check in self._checks.items()
            if name is not CheckName.SUPERVISOR
        )

    def _judge(self, now: Instant) -> None:
        self.health = self._health()
        if self.health is not UNREADY:
            self.unready_since = None
        elif self.unready_since is None:
            self.unready_since = now

    def _health(self) -> Health:
        if not self._checked:
            return Health.READY
        deciding = [c for name, c in self._checks.items() if name is not CheckName.SUPERVISOR]
        if any(check.known and check.failing for check in deciding):
            return Health.UNREADY
        if not deciding or not all(check.known for check in deciding):
            return Health.UNKNOWN
        supervisor = self._checks.get(CheckName.SUPERVISOR)
        if supervisor is not None and (supervisor.failing or not supervisor.known):
            return Health.API_ONLY
        return Health.READY
