"""All predicates together, fed with a trace record by record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vipkeeper.core.actions import ChangeAddresses, SendAdvert, Transition
from vipkeeper.core.events import AddressesDone, AdvertReceived, Started, Tick
from vipkeeper.core.facts import Fact
from vipkeeper.core.invariants.base import Invariant, Violation
from vipkeeper.core.invariants.election import (
    Deafness,
    FreshHolder,
    NamedSuccessor,
    Preemption,
    SuccessorHears,
)
from vipkeeper.core.invariants.liveness import (
    ClientLearns,
    FailStatic,
    Health,
    OneAfterHeal,
    SomebodyServes,
)
from vipkeeper.core.invariants.moves import (
    MoveBudget,
    MovesPerFault,
    NoMoveWithoutCause,
    WallClock,
)
from vipkeeper.core.invariants.robust import Robust
from vipkeeper.core.invariants.safety import (
    AnswersOnlyAsHolder,
    LeftBehind,
    RenewedInTime,
    TwoOnOneDirection,
    TwoOnWorkingWires,
    TwoWithWitness,
)
from vipkeeper.core.invariants.situation import Situation
from vipkeeper.core.types import Instant
from vipkeeper.wire.types import Role

INVARIANTS: tuple[type[Invariant], ...] = (
    TwoOnWorkingWires,
    TwoOnOneDirection,
    TwoWithWitness,
    LeftBehind,
    AnswersOnlyAsHolder,
    RenewedInTime,
    FreshHolder,
    Deafness,
    SomebodyServes,
    ClientLearns,
    FailStatic,
    OneAfterHeal,
    MovesPerFault,
    NoMoveWithoutCause,
    MoveBudget,
    Health,
    Preemption,
    NamedSuccessor,
    SuccessorHears,
    Robust,
    WallClock,
)
MOST_VIOLATIONS = 100
"""A broken cluster breaks its promises all the time; the first ones tell."""
MANY_ACTIONS = 8


RESIGNED = Role.RESIGNED


class Checker:
    """`fact` and `turn` for each record in order, `finish` at the end; `violations` has what was found."""

    def __init__(self, invariants: Sequence[type[Invariant]] = INVARIANTS) -> None:
        self.violations: list[Violation] = []
        self.situation = Situation()
        self.invariants = [kind(self.situation, self._report) for kind in invariants]
        self._turns = [i for i in self.invariants if type(i).turn is not Invariant.turn]
        self._transitions = [
            i for i in self.invariants if type(i).transition is not Invariant.transition
        ]
        self._orders = [i for i in self.invariants if type(i).ordered is not Invariant.ordered]
        self._before = [i for i in self.invariants if type(i).before is not Invariant.before]
        self._changed = [i for i in self.invariants if type(i).changed is not Invariant.changed]

    def fact(self, at: Instant, fact: Fact) -> None:
        """The world changed."""
        for invariant in self._before:
            invariant.before(at, fact)
        self.situation.take(at, fact)
        for invariant in self._changed:
            invariant.changed(at, fact)

    def turn(
        self, at: Instant, local: Instant, server: str, event: Any, actions: Sequence[Any]
    ) -> None:
        """A node took an event: `at` is one clock for all, `local` is that of the server."""
        situation = self.situation
        kind = type(event)
        notable = len(actions) > MANY_ACTIONS
        if kind is AdvertReceived:
            situation.advert(local, server, event)
            notable = notable or situation.several or event.advert.role is RESIGNED
        elif kind is not Tick:
            situation.turn(local, server, event)
            notable = notable or situation.several or kind in (Started, AddressesDone)
        if notable:
            for invariant in self._turns:
                invariant.turn(at, server, event, actions)
        for action in actions:
            kind = type(action)
            if kind is SendAdvert:
                situation.sent(at, server, action)
            elif kind is Transition:
                situation.transition(at, local, server, action)
                for invariant in self._transitions:
                    invariant.transition(at, local, server, action)
            elif kind is ChangeAddresses:
                for invariant in self._orders:
                    invariant.ordered(at, local, server, action)

    def finish(self, at: Instant) -> None:
        """The trace ends; what lasts until here is judged."""
        for invariant in self.invariants:
            invariant.finish(at)

    def _report(self, violation: Violation) -> None:
        if len(self.violations) < MOST_VIOLATIONS:
            self.violations.append(violation)
