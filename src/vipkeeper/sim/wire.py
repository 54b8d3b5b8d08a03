"""One direction between two ends: what arrives of a packet, when, and how often."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

from vipkeeper.core.facts import LOST_ALL
from vipkeeper.core.types import MILLISECOND, SECOND, Duration, Instant

BASE_DELAY: Duration = 80_000
JITTER: Duration = 120_000
LONGEST_DELAY: Duration = 2 * SECOND


@dataclass(slots=True)
class Trouble:
    """What is wrong with a wire; all zero: nothing."""

    lost: int = 0
    """Thousandths lost, independently."""
    burst_lost: int = 0
    """Thousandths lost in the bad state of a Gilbert-Elliott channel; 0: no such channel."""
    burst_enters: int = 0
    """Thousandths of packets after which the good state turns bad."""
    burst_leaves: int = 0
    """Thousandths of packets after which the bad state turns good."""
    delay: Duration = 0
    """Mean of an exponential delay on top of the wire's own."""
    doubled: int = 0
    """Thousandths that arrive twice."""
    overtaken: int = 0
    """Thousandths that are held back by up to 50 ms and arrive behind later ones."""
    corrupted: int = 0
    """Thousandths whose bytes are changed on the way."""
    cut: bool = False


class Arrival(NamedTuple):
    """One copy of a packet. A tuple: made for each packet of a troubled wire."""

    at: Instant
    corrupted: bool


class Wire:
    """The trouble of the moment and the state it needs."""

    __slots__ = ("_bad", "_last", "_latest", "clean", "trouble")

    def __init__(self) -> None:
        self.trouble = Trouble()
        self.clean = True
        self._bad = False
        self._last: Instant = 0
        self._latest: Instant = 0

    def set(self, trouble: Trouble) -> None:
        """From now on this is wrong with it."""
        self.trouble = trouble
        self.clean = trouble == Trouble()
        self._bad = False

    def clean_arrival(self, now: Instant, random_number: float) -> Instant:
        """When a packet arrives while nothing is wrong; packets keep their order."""
        at = now + BASE_DELAY + int(random_number * JITTER)
        if at <= self._last:
            at = self._last + 1
        self._last = at
        return at

    def arrivals(self, now: Instant, rng: random.Random) -> tuple[Arrival, ...]:
        """What arrives of a packet sent now."""
        trouble = self.trouble
        if self._loses(rng):
            return ()
        at = now + BASE_DELAY + int(rng.random() * JITTER)
        if trouble.delay:
            at += min(int(rng.expovariate(1.0) * trouble.delay), LONGEST_DELAY)
        if trouble.overtaken and rng.randrange(1000) < trouble.overtaken:
            at += rng.randrange(50 * MILLISECOND)
        else:
            at = self._last = max(at, self._last + 1)
        self._latest = max(self._latest, at)
        corrupted = bool(trouble.corrupted) and rng.randrange(1000) < trouble.corrupted
        first = Arrival(at, corrupted)
        if trouble.doubled and rng.randrange(1000) < trouble.doubled:
            return first, Arrival(at + rng.randrange(MILLISECOND), corrupted)
        return (first,)

    def _loses(self, rng: random.Random) -> bool:
        trouble = self.trouble
        if trouble.cut:
            return True
        if trouble.burst_lost:
            turns = trouble.burst_leaves if self._bad else trouble.burst_enters
            if rng.randrange(1000) < turns:
                self._bad = not self._bad
            if self._bad and rng.randrange(1000) < trouble.burst_lost:
                return True
        return bool(trouble.lost) and rng.randrange(1000) < trouble.lost

    @property
    def lost(self) -> int:
        """For the fact: thousandths lost or damaged."""
        trouble = self.trouble
        if trouble.cut:
            return LOST_ALL
        return min(LOST_ALL, trouble.lost + trouble.corrupted)

    def longest(self, now: Instant) -> Duration:
        """For the fact: the most that a packet takes, all but one in twenty thousand; what is on its way is
        not faster because the wire is, and nothing behind it either."""
        trouble = self.trouble
        extra = min(10 * trouble.delay, LONGEST_DELAY)
        usual = BASE_DELAY + JITTER + extra + (50 * MILLISECOND if trouble.overtaken else 0)
        return max(usual, self._latest - now)


def combined(troubles: list[Trouble]) -> Trouble:
    """Several troubles on one wire: the worst of each."""
    result = Trouble()
    for one in troubles:
        result.lost = max(result.lost, one.lost)
        if one.burst_lost > result.burst_lost:
            result.burst_lost = one.burst_lost
            result.burst_enters, result.burst_leaves = one.burst_enters, one.burst_leaves
        result.delay = max(result.delay, one.delay)
        result.doubled = max(result.doubled, one.doubled)
        result.overtaken = max(result.overtaken, one.overtaken)
        result.corrupted = max(result.corrupted, one.corrupted)
        result.cut = result.cut or one.cut
    return result
