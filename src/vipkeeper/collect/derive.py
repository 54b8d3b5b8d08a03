"""Facts that follow from two others, whoever collected them."""

from __future__ import annotations

from collections.abc import Iterable

from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.vocabulary import Key


def derive(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The facts, and what follows from them."""
    known = tuple(facts)
    return (*known, *_stale(known))


def _stale(facts: tuple[Fact, ...]) -> Iterable[Fact]:
    """A place's neighbour table, read before any probe, held against who answers ARP."""
    for before in (f for f in facts if f.key is Key.VIP_NEIGHBOUR and f.known):
        for answer in facts:
            macs = answer.value
            same = answer.key is Key.VIP_MACS and answer.vantage == before.vantage
            if same and isinstance(macs, tuple) and macs:
                yield Fact(
                    Key.VIP_STALE,
                    before.value not in macs,
                    vantage=before.vantage,
                    at=answer.at,
                    source=f"{before.source}; {answer.source}",
                    raw=f"{before.value}, and {', '.join(macs)} answers",
                )
