"""What a soak breaks, and when: a list without end that a seed decides."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from vipkeeper.lab.act import Act

QUIET = (1.0, 12.0)
"""Seconds between two faults in which nothing is broken."""
SEEDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """One fault of a soak."""

    act: Act
    seed: int
    """Decides the act's own choices: `drill ACT --seed` plays it again."""
    quiet: float
    """Seconds without a fault before it."""


def mending(acts: Sequence[Act], servers: int) -> tuple[Act, ...]:
    """The acts that one standing cluster of so many servers can be given one after the other."""
    return tuple(
        act
        for act in acts
        if act.servers == servers and not act.fresh and not act.spoils and act.prepare is None
    )


def step(acts: Sequence[Act], seed: int, index: int) -> Step:
    """The fault at this place of the seed's list: all acts once, in random order, then all again."""
    turn, place = divmod(index, len(acts))
    order = random.Random(f"{seed}/turn/{turn}").sample(range(len(acts)), len(acts))
    choices = random.Random(f"{seed}/step/{index}")
    return Step(acts[order[place]], choices.randrange(SEEDS), choices.uniform(*QUIET))
