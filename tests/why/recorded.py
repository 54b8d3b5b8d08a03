"""Recorded cases: the facts of a cluster in trouble, and the answer that is right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from vipkeeper.diagnose.codec import load
from vipkeeper.diagnose.engine import Diagnosis, diagnose
from vipkeeper.diagnose.facts import Evidence, Fact
from vipkeeper.diagnose.registry import all_hypotheses

FOLDER = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True)
class Expectation:
    """The right answer of a case."""

    verdict: str
    roots: dict[str, str]
    """Standing by code."""
    hidden: frozenset[str]
    ruled_out: frozenset[str]
    """At least these."""
    possible: frozenset[str]
    """At least these."""


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded case."""

    name: str
    facts: tuple[Fact, ...]
    expected: Expectation


def cases() -> tuple[Case, ...]:
    """All of them, by name."""
    return tuple(_case(path) for path in sorted(FOLDER.glob("*.facts")))


def _case(path: Path) -> Case:
    facts, wrong = load(path.read_text(encoding="utf-8"))
    assert not wrong, f"{path.name}: {wrong}"
    told = json.loads(path.with_suffix(".expect").read_text(encoding="utf-8"))
    expected = Expectation(
        told["verdict"],
        dict(told.get("roots", {})),
        *(frozenset(told.get(name, ())) for name in ("hidden", "ruled_out", "possible")),
    )
    return Case(path.stem, facts, expected)


def answer(facts: tuple[Fact, ...]) -> Diagnosis:
    """What the engine says."""
    return diagnose(Evidence(facts), [r.hypothesis for r in all_hypotheses()])


def verdict(diagnosis: Diagnosis) -> tuple[object, ...]:
    """What counts of an answer: the verdict and every root cause and hidden fault with its standing."""
    return (
        diagnosis.verdict.value,
        tuple((a.hypothesis.code, a.standing.word) for a in diagnosis.roots),
        tuple((a.hypothesis.code, a.standing.word) for a in diagnosis.hidden),
    )
