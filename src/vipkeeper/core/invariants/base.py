"""What every predicate is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from vipkeeper.core.actions import ChangeAddresses, Transition
from vipkeeper.core.facts import Fact
from vipkeeper.core.invariants.situation import Situation
from vipkeeper.core.invariants.violation import Violation
from vipkeeper.core.types import MILLISECOND, Duration, Instant

Report = Callable[[Violation], None]
SCHEDULING: Duration = 30 * MILLISECOND
"""J: a round of questions, a system call, a timer, the way of the gratuitous ARP."""


class Invariant:
    """One promise. Subclasses override what they need; `Checker` calls nothing else."""

    id: ClassVar[str]

    def __init__(self, situation: Situation, report: Report) -> None:
        self.situation = situation
        self._report = report

    def before(self, at: Instant, fact: Fact) -> None:
        """A fact is about to change the situation: the last look at the old one."""

    def changed(self, at: Instant, fact: Fact) -> None:
        """A fact has changed the situation."""

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """A node changed its state; the situation knows already."""

    def ordered(self, at: Instant, local: Instant, server: str, action: ChangeAddresses) -> None:
        """A node asks its kernel to change addresses."""

    def turn(self, at: Instant, server: str, event: object, actions: Sequence[object]) -> None:
        """A node took a start, a resignation, a kernel's answer, an event with many actions, or any while
        two answer."""

    def finish(self, at: Instant) -> None:
        """The trace ends."""

    def broken(self, at: Instant, server: str | None, text: str) -> None:
        """Report it."""
        self._report(Violation(at, self.id, server, text))


class Stretch:
    """A condition that may hold only so long without a break.

    What a bound is made of (clock rates, delays, lateness) may change meanwhile: a clock that was slow
    for a while has counted less of a lease, a packet sent while the wire was slow is still on its way.
    So a bound that grew counts from the beginning, and one that shrank counts whole from then on, unless
    the time was up sooner.
    """

    __slots__ = ("_bound", "_told", "limit", "since")

    def __init__(self) -> None:
        self.since: Instant | None = None
        self.limit: Duration = 0
        """How long it may last from its beginning on."""
        self._bound: Duration = 0
        self._told = False

    def exceeded(self, at: Instant) -> Duration | None:
        """How long it has held by now when that is too long; said once."""
        if self.since is None or self._told or at - self.since <= self.limit:
            return None
        self._told = True
        return at - self.since

    def update(self, at: Instant, holds: bool, limit: Duration) -> None:
        """From now on it holds or not; ask `exceeded` first."""
        if not holds:
            self.since = None
            self._told = False
            return
        if self.since is None:
            self.since = at
            self.limit = limit
        elif limit > self._bound:
            self.limit = max(self.limit, limit)
        elif limit < self._bound:
            self.limit = min(self.limit, at - self.since + limit)
        self._bound = limit


def ms(duration: Duration) -> str:
    """For messages."""
    return f"{duration / MILLISECOND:.1f} ms"
