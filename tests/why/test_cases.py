"""Every recorded case gets the right answer, and the answer rests on the facts it cites."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from vipkeeper.diagnose.engine import Diagnosis, Standing
from vipkeeper.diagnose.facts import Fact, Value
from vipkeeper.diagnose.hypothesis import Risk
from vipkeeper.diagnose.registry import all_hypotheses
from vipkeeper.diagnose.vocabulary import Key, Word
from vipkeeper.report.style import Style
from vipkeeper.report.why.text import render
from why.recorded import Case, answer, cases, verdict

CASES = cases()
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@each_case
def test_the_answer_is_right(case: Case) -> None:
    found = answer(case.facts)
    assert found.verdict.value == case.expected.verdict
    roots = {a.hypothesis.code: a.standing.word for a in found.roots}
    assert roots == case.expected.roots
    assert {a.hypothesis.code for a in found.hidden} == case.expected.hidden
    assert {a.hypothesis.code for a in found.ruled_out} >= case.expected.ruled_out
    assert {a.hypothesis.code for a in found.possible} >= case.expected.possible


@each_case
def test_nothing_that_is_cited_must_be_read_twice(case: Case) -> None:
    """At three in the morning "- not so: it does not run" is read as that it does not run."""
    titles = {r.hypothesis.code: r.page.title for r in all_hypotheses()}
    printed = render(answer(case.facts), titles.__getitem__, Style(color=False, ascii=True))
    statements = [line.strip() for line in printed.splitlines()]
    assert [text for text in statements if text.startswith(("- ", "+ not ", "+ no sign"))] == []


@each_case
def test_the_order_of_facts_is_of_no_matter(case: Case) -> None:
    shuffled = list(case.facts)
    random.Random(case.name).shuffle(shuffled)
    assert answer(tuple(shuffled)) == answer(case.facts) or _same(
        answer(tuple(shuffled)), answer(case.facts)
    )


def _same(one: Diagnosis, other: Diagnosis) -> bool:
    return verdict(one) == verdict(other) and one.evidence.facts == other.evidence.facts


@each_case
def test_five_hundred_facts_that_are_beside_the_point_change_nothing(case: Case) -> None:
    noise = tuple(
        Fact(Key.LOG, True, about="cp1", aspect=f"unrelated-{n}", source="journal", raw="noise")
        for n in range(500)
    )
    assert verdict(answer(case.facts + noise)) == verdict(answer(case.facts))


@each_case
def test_a_cause_falls_with_what_it_requires(case: Case) -> None:
    before = answer(case.facts)
    for root in before.roots:
        for judgement in root.because:
            without = tuple(f for f in case.facts if not _among(f, judgement.facts))
            after = answer(without)
            said = f"without {judgement.text}: {root.hypothesis.code} stands as before"
            assert _standing(after, root.hypothesis.code) > root.standing, said


@each_case
def test_a_cause_falls_when_what_it_requires_is_turned_round(case: Case) -> None:
    for root in answer(case.facts).roots:
        for judgement in root.because:
            turned = tuple(_turned(f) if _among(f, judgement.facts) else f for f in case.facts)
            after = answer(turned)
            said = f"with {judgement.text} turned round: {root.hypothesis.code} stands as before"
            assert _standing(after, root.hypothesis.code) > root.standing, said


@each_case
def test_no_step_that_loses_data_below_confirmed(case: Case) -> None:
    found = answer(case.facts)
    for assessment in (*found.roots, *found.hidden, *found.consequences, *found.possible):
        if assessment.standing is not Standing.CONFIRMED:
            assert all(step.risk is not Risk.DESTRUCTIVE for step in assessment.fixes)


def test_every_hypothesis_is_the_answer_to_some_case_and_has_a_rival() -> None:
    reached: set[str] = set()
    rivalled: set[str] = set()
    for case in CASES:
        found = answer(case.facts)
        rivals = {s for a in (*found.ruled_out, *found.possible) for s in a.hypothesis.explains}
        for standing in (*found.roots, *found.hidden, *found.consequences):
            reached.add(standing.hypothesis.code)
            if rivals.intersection(standing.hypothesis.explains):
                rivalled.add(standing.hypothesis.code)
    codes = {registered.hypothesis.code for registered in all_hypotheses()}
    assert not codes - reached, "no case leads to these"
    assert not codes - rivalled, "no case holds these against another that explains the same"


def _among(fact: Fact, facts: tuple[Fact, ...]) -> bool:
    """Whether it says something about the same as one of these, at whatever time."""
    return any(_subject(fact) == _subject(other) for other in facts)


def _subject(fact: Fact) -> tuple[Key, str, str]:
    return fact.key, fact.about, fact.aspect


def _standing(found: Diagnosis, code: str) -> Standing:
    groups = (
        found.roots,
        found.hidden,
        found.consequences,
        found.possible,
        found.ruled_out,
        found.not_tested,
    )
    return next(a.standing for group in groups for a in group if a.hypothesis.code == code)


def _turned(fact: Fact) -> Fact:
    """The fact with another value: the opposite of a flag, another word."""
    return fact if fact.value is None else replace(fact, value=_other(fact.value))


def _other(value: Value) -> Value:
    if isinstance(value, bool):
        return not value
    if isinstance(value, Word):
        words = list(type(value))
        return words[0] if value is not words[0] else words[1]
    if isinstance(value, tuple):
        return () if value else ("00:00:00:00:00:01",)
    if isinstance(value, int):
        return 1 if value > 1 else 3
    return "elsewhere"
