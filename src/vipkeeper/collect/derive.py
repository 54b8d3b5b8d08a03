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
    answers: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.key is Key.VIP_MACS:
            answers.setdefault(fact.vantage, []).append(fact)
    for before in (f for f in facts if f.key is Key.VIP_NEIGHBOUR and f.known):
        for answer in answers.get(before.vantage, ()):
            macs = answer.value
            if isinstance(macs, tuple) and macs:
                yield Fact(
                    Key.VIP_STALE,
                    before.value not in macs,
                    vantage=before.vantage,
                    at=answer.at,
                    source=f"{before.source}; {answer.source}",
                    raw=f"{before.value}, and {', '.join(macs)} answers",
                )
