"""All predicates together, fed with a trace record by record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vipkeeper.core.actions import ChangeAddresses, SendAdvert, Transition
from vipkeeper.core.events import AddressesDone, AdvertReceived, Commanded, Started, Tick
from vipkeeper.core.facts import Fact
from vipkeeper.core.invariants.base import Invariant
from vipkeeper.core.invariants.clients import ClientCatchesUp, ClientLearns
from vipkeeper.core.invariants.election import (
    Deafness,
    FreshHolder,
    NamedSuccessor,
    Preemption,
    SuccessorHears,
)
from vipkeeper.core.invariants.liveness import (
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
from vipkeeper.core.invariants.violation import Violation
from vipkeeper.core.types import Duration, Instant
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
    ClientCatchesUp,
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
OWN: tuple[type[Invariant], ...] = (
    RenewedInTime,
    FreshHolder,
    Deafness,
    MoveBudget,
    Preemption,
    NamedSuccessor,
    SuccessorHears,
    Robust,
)
"""What can be judged by what one daemon alone was told and did."""
MOST_VIOLATIONS = 100
"""A broken cluster breaks its promises all the time; the first ones tell."""
MANY_ACTIONS = 8


RESIGNED = Role.RESIGNED
ALWAYS_NOTABLE = (Started, AddressesDone, Commanded)


class Checker:
    """`fact` and `turn` for each record in order, `finish` at the end; `violations` has what was found."""

    def __init__(
        self,
        invariants: Sequence[type[Invariant]] = INVARIANTS,
        *,
        patience: Duration = 0,
        rest: Duration | None = None,
    ) -> None:
        """`patience`: what L1, L3 and H1 allow on top of their bounds, where a machine's scheduler is late by
        an amount that no fact tells. `rest`: the quiet after which the cluster counts as at rest; None:
        max(3 s, 20 I).
        """
        self.violations: list[Violation] = []
        self.situation = Situation(patience, rest)
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
            notable = notable or situation.several or kind in ALWAYS_NOTABLE
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
