"""How standing, root causes and the next probe follow from the evidence."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vipkeeper.diagnose.engine import Diagnosis, Standing, Verdict, assess, diagnose
from vipkeeper.diagnose.facts import Evidence, Fact
from vipkeeper.diagnose.hypothesis import (
    Hypothesis,
    Layer,
    Predicate,
    Probe,
    Risk,
    Step,
    Symptom,
    predicate,
)
from vipkeeper.diagnose.judgement import Judgement, UndeclaredKeyError, View, false, true, unknown
from vipkeeper.diagnose.registry import all_hypotheses
from vipkeeper.diagnose.vocabulary import Key, Port, Ready


def flag(key: Key) -> Predicate:
    """True and false as the flag of cp1 says, unknown without one."""

    @predicate(key)
    def judge(view: View) -> Judgement:
        fact = view.one(key, "cp1")
        if fact is None:
            return unknown(f"{key.word} is not known")
        return true(key.word, fact) if fact.value else false(f"not {key.word}", fact)

    return judge


A, B, C = flag(Key.VIP_PRESENT), flag(Key.LINK_UP), flag(Key.DISK_FULL)
REFUSED = Fact(Key.VIP_PORT, Port.REFUSED, vantage="client", aspect="6443")
MUTE = Fact(Key.VIP_MACS, (), vantage="client")


def said(key: Key, value: bool) -> Fact:
    return Fact(key, value, "cp1", "cp1")


def hypothesis(
    code: str,
    *,
    requires: Sequence[Predicate] = (A,),
    forbids: Sequence[Predicate] = (),
    explains: Sequence[Symptom] = (Symptom.REFUSED,),
    layer: Layer = Layer.PROCESS,
    fixes: Sequence[Step] = (),
    probes: Sequence[Probe] = (),
    caused_by: Sequence[str] = (),
) -> Hypothesis:
    return Hypothesis(
        code=code,
        name=code.lower(),
        layer=layer,
        requires=tuple(requires),
        forbids=tuple(forbids),
        chain=("it is so",),
        explains=tuple(explains),
        fixes=tuple(fixes),
        verify=("true",),
        probes=tuple(probes),
        caused_by=tuple(caused_by),
    )


def codes(found: Diagnosis) -> list[str]:
    return [a.hypothesis.code for a in found.roots]


@pytest.mark.parametrize(
    ("facts", "standing"),
    [
        ([said(Key.VIP_PRESENT, True), said(Key.DISK_FULL, False)], Standing.CONFIRMED),
        ([said(Key.VIP_PRESENT, True)], Standing.LIKELY),
        ([said(Key.VIP_PRESENT, True), said(Key.DISK_FULL, True)], Standing.RULED_OUT),
        ([said(Key.VIP_PRESENT, False)], Standing.RULED_OUT),
        ([said(Key.DISK_FULL, False)], Standing.NOT_TESTED),
    ],
    ids=["all is so", "objection unknown", "objection so", "requirement not so", "nothing known"],
)
def test_standing(facts: list[Fact], standing: Standing) -> None:
    assert assess(Evidence(facts), hypothesis("VK1", forbids=[C])).standing is standing


def test_some_of_what_is_required_makes_it_possible() -> None:
    half = assess(Evidence([said(Key.VIP_PRESENT, True)]), hypothesis("VK1", requires=[A, B]))
    assert half.standing is Standing.POSSIBLE


def test_the_cause_that_explains_more_comes_first() -> None:
    facts = [said(Key.VIP_PRESENT, True), REFUSED, MUTE]
    less = hypothesis("VK1")
    more = hypothesis("VK2", explains=[Symptom.REFUSED, Symptom.NO_ANSWER])
    found = diagnose(Evidence(facts), [less, more])
    assert codes(found) == ["VK2"]
    assert [a.hypothesis.code for a in found.hidden] == ["VK1"]


def test_two_causes_that_only_together_explain_everything_are_both_named() -> None:
    facts = [said(Key.VIP_PRESENT, True), REFUSED, MUTE]
    one, other = hypothesis("VK1"), hypothesis("VK2", explains=[Symptom.NO_ANSWER])
    assert codes(diagnose(Evidence(facts), [other, one])) == ["VK1", "VK2"]


def test_a_symptom_that_nothing_explains_is_left_over() -> None:
    found = diagnose(Evidence([said(Key.VIP_PRESENT, True), REFUSED, MUTE]), [hypothesis("VK1")])
    assert found.unexplained == (Symptom.NO_ANSWER,)


def test_a_consequence_is_no_root_cause() -> None:
    facts = [said(Key.VIP_PRESENT, True), REFUSED]
    cause, effect = hypothesis("VK2"), hypothesis("VK1", caused_by=["VK2"])
    found = diagnose(Evidence(facts), [effect, cause])
    assert codes(found) == ["VK2"]
    assert [a.hypothesis.code for a in found.consequences] == ["VK1"]


def test_a_cause_explains_what_its_consequence_does() -> None:
    facts = [said(Key.VIP_PRESENT, True), REFUSED, MUTE]
    cause = hypothesis("VK3", explains=[Symptom.REFUSED])
    between = hypothesis("VK2", explains=[], caused_by=["VK3"])
    effect = hypothesis("VK1", explains=[Symptom.NO_ANSWER], caused_by=["VK2"])
    found = diagnose(Evidence(facts), [effect, between, cause])
    assert (codes(found), found.unexplained) == (["VK3"], ())
    found = diagnose(Evidence([*facts[:1], MUTE]), [effect, between, cause])
    assert (found.verdict, codes(found)) == (Verdict.ROOT_CAUSE, ["VK3"])


def test_clocks_differ_from_the_one_who_asks_as_well() -> None:
    def skew(*offsets: int) -> int:
        facts = [Fact(Key.CLOCK_OFFSET, ms, f"cp{n}") for n, ms in enumerate(offsets)]
        return diagnose(Evidence(facts), []).skew_ms

    assert (skew(-90_000), skew(-90_000, -60_000)) == (90_000, 90_000)
    assert (skew(500), skew(-500, 700), skew()) == (500, 1200, 0)
    each_other = (
        Fact(Key.CLOCK_OFFSET, 60_000, "cp1", "cp2"),
        Fact(Key.CLOCK_OFFSET, -60_000, "cp2", "cp1"),
    )
    assert diagnose(Evidence(each_other), []).skew_ms == 60_000


def test_no_cause_follows_from_itself() -> None:
    """Two that are each other's consequence would both be no root cause."""
    causes = {r.hypothesis.code: set(r.hypothesis.caused_by) for r in all_hypotheses()}
    assert not {code for of in causes.values() for code in of} - set(causes)
    while causes:
        first = {code for code, of in causes.items() if not of & set(causes)}
        assert first, f"in a ring: {sorted(causes)}"
        for code in first:
            del causes[code]


def test_without_its_cause_the_same_hypothesis_is_the_root() -> None:
    facts = [said(Key.VIP_PRESENT, True), REFUSED]
    assert codes(diagnose(Evidence(facts), [hypothesis("VK1", caused_by=["VK2"])])) == ["VK1"]


def test_a_step_that_loses_data_is_withheld_until_the_cause_is_confirmed() -> None:
    steps = [Step(Risk.SAFE, "start it"), Step(Risk.DESTRUCTIVE, "reset it")]
    tried = hypothesis("VK1", forbids=[C], fixes=steps)
    likely = assess(Evidence([said(Key.VIP_PRESENT, True)]), tried)
    sure = assess(Evidence([said(Key.VIP_PRESENT, True), said(Key.DISK_FULL, False)]), tried)
    assert (likely.fixes, likely.withheld) == ((steps[0],), True)
    assert (sure.fixes, sure.withheld) == (tuple(steps), False)


def test_the_next_probe_decides_most_rivals_for_its_cost() -> None:
    cheap = Probe("ip addr", "cp1", frozenset({Key.LINK_UP}), cost=1)
    dear = Probe("df", "cp1", frozenset({Key.DISK_FULL}), cost=5)
    rivals = [
        hypothesis("VK1", requires=[A, B], probes=[cheap]),
        hypothesis("VK2", requires=[A, C], probes=[dear]),
        hypothesis("VK3", requires=[A, C]),
    ]
    found = diagnose(Evidence([said(Key.VIP_PRESENT, True)]), rivals)
    assert (found.next_probe, found.decides) == (cheap, ("VK1",))


def test_a_probe_that_decides_a_rival_goes_before_a_cheap_one_for_the_untested() -> None:
    telling = Probe("telling", "cp1", frozenset({Key.LINK_UP}), cost=30)
    cheap = Probe("cheap", "cp1", frozenset({Key.DISK_FULL}), cost=1)
    found = diagnose(
        Evidence([said(Key.VIP_PRESENT, True), REFUSED]),
        [
            hypothesis("VK1", requires=[A, B], probes=[telling]),
            *(hypothesis(f"VK{n}", requires=[C], probes=[cheap]) for n in range(2, 60)),
        ],
    )
    assert (found.next_probe, found.decides) == (telling, ("VK1",))


def test_a_probe_for_what_is_known_already_is_not_named() -> None:
    useless = Probe("ip addr", "cp1", frozenset({Key.VIP_PRESENT}), cost=1)
    found = diagnose(
        Evidence([said(Key.VIP_PRESENT, True)]),
        [hypothesis("VK1", requires=[A, B], probes=[useless])],
    )
    assert found.next_probe is None


def test_a_probe_is_named_only_while_the_answer_is_open() -> None:
    probe = Probe("ip addr", "cp1", frozenset({Key.LINK_UP, Key.DISK_FULL}), cost=1)
    rival = hypothesis("VK2", requires=[A, B], probes=[probe])
    facts = [said(Key.VIP_PRESENT, True), REFUSED]
    confirmed = diagnose(Evidence(facts), [hypothesis("VK1"), rival])
    likely = diagnose(Evidence(facts), [hypothesis("VK1", forbids=[C]), rival])
    more = diagnose(Evidence([*facts, MUTE]), [hypothesis("VK1"), rival])
    assert confirmed.next_probe is None
    assert (likely.next_probe, more.next_probe) == (probe, probe)


def test_verdicts() -> None:
    healthy = [
        Fact(Key.VIP_PORT, Port.OPEN, vantage="client", aspect="6443"),
        Fact(Key.VIP_READYZ, Ready.OK, vantage="client"),
    ]
    blind = Fact(Key.VIP_PORT, None, vantage="client", aspect="6443", unknown="no permission")
    assert diagnose(Evidence(healthy), []).verdict is Verdict.HEALTHY
    assert diagnose(Evidence([REFUSED]), []).verdict is Verdict.UNDETERMINED
    assert diagnose(Evidence([blind]), []).verdict is Verdict.NOTHING


def test_a_predicate_may_not_read_what_it_does_not_declare() -> None:
    @predicate(Key.VIP_PRESENT)
    def sly(view: View) -> Judgement:
        view.one(Key.LINK_UP, "cp1")
        return true("")

    with pytest.raises(UndeclaredKeyError):
        sly.ask(Evidence([]))


def test_ids_follow_from_what_facts_say() -> None:
    one, other = said(Key.VIP_PRESENT, True), said(Key.LINK_UP, True)
    assert Evidence([one, other, one]).facts == Evidence([other, one]).facts
    assert [fact.id for fact in Evidence([one, other])] == ["E1", "E2"]
