"""F1 to F3, C1: the VIP moves when there is a reason, and not more often than that."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import ClassVar

from vipkeeper.core.actions import Cause, State, Transition
from vipkeeper.core.events import AdvertReceived, Started
from vipkeeper.core.facts import (
    ApiState,
    DaemonChanged,
    DaemonState,
    Fact,
    FaultInjected,
    FaultKind,
    Healed,
    WallClockStepped,
)
from vipkeeper.core.invariants.base import Invariant, Report
from vipkeeper.core.invariants.situation import Situation
from vipkeeper.core.invariants.subject import ServerSituation
from vipkeeper.core.types import MILLISECOND, SECOND, Duration, Instant
from vipkeeper.wire.types import Role

NOISE = frozenset({
    FaultKind.LOSS, FaultKind.BURSTS, FaultKind.DELAY, FaultKind.REORDERING, FaultKind.CORRUPTION,
    FaultKind.KERNEL_SLOW, FaultKind.KERNEL_REFUSES, FaultKind.TIMERS_LATE, FaultKind.CLOCK_RATE,
    FaultKind.REPLAY, FaultKind.WRONG_KEY, FaultKind.OTHER,
})  # fmt: skip
"""Kinds that are no single event but go on for a while."""
LIGHT = frozenset({FaultKind.LOSS, FaultKind.STALL, FaultKind.DUPLICATION})
"""Kinds under which nothing may move, within limits."""
RENEWALS_PER_LEASE = 4
"""A lease is renewed each fourth of it: three fourths are left at least."""
MOST_LOSS = 200
"""Thousandths lost on a wire under which nothing may move."""
PLANNED_FOR: Duration = 5 * SECOND


class MovesPerFault(Invariant):
    """F1: one fault in a cluster at rest moves the VIP at most once, twice with preemption.

    At rest: one holder, everybody follows it, nothing else is wrong, nothing happened for max(3 s, 20 I).
    The end of the fault counts as another one. Judged until the next fault begins or ends.
    Blind: faults that go on for a while (loss, delay, lateness, clock rates), see F2; faults on faults.
    """

    id: ClassVar[str] = "F1"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._fault: FaultInjected | None = None
        self._holder: str | None = None
        self._moves = 0

    def before(self, at: Instant, fact: Fact) -> None:
        """A fault in a cluster at rest begins a count."""
        if isinstance(fact, Healed):
            self._fault = None
        if not isinstance(fact, FaultInjected):
            return
        holder = self.situation.settled(at)
        single = holder is not None and fact.kind not in NOISE
        self._fault = fact if single else None
        self._holder = holder.name if holder is not None else None
        self._moves = 0

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """Count a new holder."""
        fault = self._fault
        if fault is None or transition.after is not State.HOLDER or server == self._holder:
            return
        if transition.cause is Cause.ADOPTED:
            return
        self._holder = server
        self._moves += 1
        most = 1 if self.situation.settings.preempt_after is None else 2
        if self._moves > most:
            text = f"{self._moves} moves after one fault ({fault.kind.value} {fault.server or ''})"
            self.broken(at, server, f"{text}, at most {most}")


class NoMoveWithoutCause(Invariant):
    """F2: while no wire loses more than 20 % independently, and daemons do nothing worse than stall for
    less than 3/4 of L, the VIP does not move.

    3/4, because a lease that is about to be renewed has only that left (less 250 ms for delays). With a
    strict lease a stall may last for that lease less two intervals. The bound holds for wires that delay
    less than I / 4, clocks that are right, ready API servers, and from when the cluster had been at rest.
    Blind: bursts; preemption; what an operator asked for.
    """

    id: ClassVar[str] = "F2"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._holder: str | None = None
        """Holder since the quiet began, None while it is not quiet."""
        self._stalled: dict[str, Instant] = {}

    def before(self, at: Instant, fact: Fact) -> None:
        """From rest on it is quiet."""
        if self._holder is None and isinstance(fact, FaultInjected):
            holder = self.situation.settled(at)
            self._holder = holder.name if holder is not None else None

    def changed(self, at: Instant, fact: Fact) -> None:
        """Until something worse happens."""
        if isinstance(fact, DaemonChanged) and fact.state is DaemonState.STALLED:
            self._stalled[fact.server] = at
        elif isinstance(fact, DaemonChanged):
            begun = self._stalled.pop(fact.server, None)
            if begun is not None and at - begun > self._longest_stall(fact.server):
                self._holder = None
        if self._holder is not None and not self._quiet(fact):
            self._holder = None

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """A new holder, or a holder that lets go, is a move."""
        if self._holder is None or any(
            at - begun > self._longest_stall(name) for name, begun in self._stalled.items()
        ):
            self._holder = None
            return
        left = server == self._holder and transition.before is State.HOLDER
        if left or (transition.after is State.CLAIM and server != self._holder):
            self._holder = None
            cause = transition.cause.value
            text = f"{server}: {transition.before.value} to {transition.after.value} ({cause})"
            self.broken(at, server, f"{text} with nothing worse than loss and short stalls")

    def _longest_stall(self, name: str) -> Duration:
        settings = self.situation.servers[name].settings
        if settings.strict_lease is not None:
            return settings.strict_lease - 2 * settings.advert_interval - 5 * MILLISECOND
        kept = settings.kernel_lease * (RENEWALS_PER_LEASE - 1) // RENEWALS_PER_LEASE
        return kept - 250 * MILLISECOND

    def _quiet(self, fact: Fact) -> bool:
        situation = self.situation
        if isinstance(fact, FaultInjected) and fact.kind not in LIGHT:
            return False
        if any(situation.disturbers.values()) or situation.settings.preempt_after is not None:
            return False
        slow = situation.longest_delay > situation.settings.advert_interval // 4
        lossy = max(situation.lost.values(), default=0) > MOST_LOSS
        if slow or lossy or any(situation.bursts.values()):
            return False
        return all(self._steady(server) for server in situation.servers.values())

    def _steady(self, server: ServerSituation) -> bool:
        """Nothing is wrong with it but, perhaps, a stall."""
        alive = server.power and not server.stunned and server.link
        stalled = server.daemon is DaemonState.STALLED
        fit = alive and (stalled or server.fit_itself) and server.api is ApiState.READY
        return fit or (server.gone and not server.vip)


class MoveBudget(Invariant):
    """F3: a server claims on its own at most `move_budget` times in ten minutes of its clock; more often
    only out of `held`, after nobody served for T_L, or where a holder names it all the same that has not
    heard yet that its budget is spent.

    Not counted: claims that follow a resignation an operator asked for, and of a VIP that nobody held.
    Blind: claims before a restart of the daemon, which forgets them.
    """

    id: ClassVar[str] = "F3"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._claims: dict[str, deque[Instant]] = {}
        self._planned: dict[str, Instant] = {}
        self._local: dict[str, Instant] = {}

    def turn(self, at: Instant, server: str, event: object, actions: Sequence[object]) -> None:
        """Forget with a restart; remember a planned resignation."""
        if type(event) is AdvertReceived:
            if event.advert.role is Role.RESIGNED and event.advert.planned:
                self._planned[server] = at
        elif type(event) is Started:
            self._claims[server] = deque()
            self._planned.pop(server, None)

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """Count a claim."""
        settings = self.situation.servers[server].settings
        if transition.after is not State.CLAIM or not settings.move_budget:
            return
        planned = self._planned.get(server)
        if transition.cause is Cause.FIRST_CLAIM:
            return
        resigned = transition.cause in (Cause.NAMED_SUCCESSOR, Cause.HOLDER_RESIGNED)
        if resigned and planned is not None and at - planned < PLANNED_FOR:
            return
        claims = self._claims.setdefault(server, deque())
        claims.append(local)
        while claims and local - claims[0] >= settings.move_window:
            claims.popleft()
        alone = len(settings.servers) == 1
        held = transition.before is State.HELD or transition.cause is Cause.NAMED_SUCCESSOR
        if len(claims) > settings.move_budget and not held and not alone:
            text = f"{server} claims {len(claims)} times in ten minutes ({transition.cause.value})"
            self.broken(at, server, f"{text}, at most {settings.move_budget}")


class WallClock(Invariant):
    """C1: a step of a wall clock changes nothing: in a cluster at rest no node changes its state
    until the next fault.

    Blind: clusters with preemption, which may move the VIP at any time.
    """

    id: ClassVar[str] = "C1"

    def __init__(self, situation: Situation, report: Report) -> None:
        super().__init__(situation, report)
        self._stepped: WallClockStepped | None = None
        self._rest = False

    def before(self, at: Instant, fact: Fact) -> None:
        """Only in a cluster at rest."""
        if isinstance(fact, FaultInjected):
            preempts = self.situation.settings.preempt_after is not None
            self._rest = self.situation.settled(at) is not None and not preempts
            self._stepped = None
        elif isinstance(fact, WallClockStepped) and self._rest:
            self._stepped = fact

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """Nothing may happen."""
        if self._stepped is not None:
            by = self._stepped.by // SECOND
            text = f"{server}: {transition.before.value} to {transition.after.value}"
            self._stepped = None
            self.broken(at, server, f"{text} after a wall clock stepped by {by} s")
