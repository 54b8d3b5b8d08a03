"""A1: whatever arrives, a node goes on, and does not do much for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from vipkeeper.core.facts import Escaped, Fact
from vipkeeper.core.invariants.base import Invariant
from vipkeeper.core.types import Instant

MOST_ACTIONS = 24
"""Of one event: a departure with three resignations, a new state, alarms, records, replies."""


class Robust(Invariant):
    """A1: no exception leaves a node, and no event leads to more than 24 actions.

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
