"""What a soak breaks, and when: a list without end that a seed decides."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from vipkeeper.errors import UsageError
from vipkeeper.lab.act import Act
from vipkeeper.lab.scenario import together

QUIET = (1.0, 12.0)
"""Seconds between two faults in which nothing is broken."""
SEEDS = 1_000_000
PAIR_EACH = 4
"""Of so many faults one is a pair."""


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


def step(acts: Sequence[Act], seed: int, index: int, *, paired: bool = False) -> Step:
    """The fault at this place of the seed's list: all acts once, in random order, then all again.

    `paired`: at every fourth place two of them at once.
    """
    choices = random.Random(f"{seed}/step/{index}")
    decides, quiet = choices.randrange(SEEDS), choices.uniform(*QUIET)
    pairs, rest = divmod(index, PAIR_EACH) if paired else (0, 0)
    if rest == PAIR_EACH - 1 and (pair := _pair(acts, choices)) is not None:
        return Step(pair, decides, quiet)
    turn, place = divmod(index - pairs, len(acts))
    order = random.Random(f"{seed}/turn/{turn}").sample(range(len(acts)), len(acts))
    return Step(acts[order[place]], decides, quiet)


def _pair(acts: Sequence[Act], choices: random.Random) -> Act | None:
    """Two acts that can be laid together; None where there are none."""
    alone = [act for act in acts if act.fault is not None]
    for one in choices.sample(alone, len(alone)):
        for other in choices.sample(alone, len(alone)):
            try:
                return together(one, other)
            except UsageError:
                continue
    return None
