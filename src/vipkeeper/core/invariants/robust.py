"""A1: whatever arrives, a node goes on, and does not do much for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from vipkeeper.core.actions import Transition
from vipkeeper.core.facts import Escaped, Fact
from vipkeeper.core.invariants.base import Invariant
from vipkeeper.core.transitions import allowed
from vipkeeper.core.types import Instant

MOST_ACTIONS = 24
"""Of one event: a departure with three resignations, a new state, alarms, records, replies."""


class Robust(Invariant):
    """A1: no exception leaves a node, no event leads to more than 24 actions, and every transition is in
    the table of core.transitions.

    Blind: time spent; it is the benchmark's to measure.
    """

    id: ClassVar[str] = "A1"

    def changed(self, at: Instant, fact: Fact) -> None:
        """An exception left a node."""
        if isinstance(fact, Escaped):
            self.broken(at, fact.server, f"{fact.server}: {fact.text}")

    def turn(self, at: Instant, server: str, event: object, actions: Sequence[object]) -> None:
        """Count."""
        if len(actions) > MOST_ACTIONS:
            name = type(event).__name__
            text = f"{server} answers one {name} with {len(actions)} actions"
            self.broken(at, server, f"{text}, at most {MOST_ACTIONS}")

    def transition(self, at: Instant, local: Instant, server: str, transition: Transition) -> None:
        """Look it up."""
        before, after, cause = transition.before, transition.after, transition.cause
        if not allowed(before, after, cause):
            text = f"{before.value} to {after.value} ({cause.value})"
            self.broken(at, server, f"{server}: {text} is not in the table of transitions")
