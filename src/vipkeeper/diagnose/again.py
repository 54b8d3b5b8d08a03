"""Whether a second look would settle more: some causes need two samples of a state that may pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vipkeeper.diagnose.engine import Standing, assess
from vipkeeper.diagnose.facts import Evidence
from vipkeeper.diagnose.hypothesis import Hypothesis


def held_back(
    evidence: Evidence, hypotheses: Sequence[Hypothesis], later_ms: int
) -> tuple[str, ...]:
    """The codes of causes that would be confirmed if everything were seen once more, so much later."""
    once_more = (replace(fact, at=fact.at + later_ms) for fact in evidence if fact.at)
    twice = Evidence((*evidence, *once_more))
    return tuple(
        hypothesis.code
        for hypothesis in hypotheses
        if assess(evidence, hypothesis).standing in (Standing.LIKELY, Standing.POSSIBLE)
        and assess(twice, hypothesis).standing is Standing.CONFIRMED
    )
