"""A case that is seen in part: what is not known may leave the cause open, never prove another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vipkeeper.diagnose.engine import Standing, Verdict
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.judgement import Truth
from vipkeeper.diagnose.symptoms import vip_answers
from why.recorded import Case, answer, cases

CASES = cases()


def parts(case: Case) -> Iterator[tuple[str, tuple[Fact, ...]]]:
    """What is left when one server's bundle, the outside, or all but one place is missing."""
    places = sorted({fact.about for fact in case.facts if fact.about})
    for place in places:
        without = [f for f in case.facts if f.about != place or f.vantage]
        alone = [f for f in case.facts if f.vantage in ("", place) and f.about in ("", place)]
        yield f"without {place}", tuple(without)
        yield f"only {place}", tuple(alone)
    yield "only seen from outside", tuple(f for f in case.facts if f.vantage)
    yield "nobody outside", tuple(f for f in case.facts if not f.vantage)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_not_seen_proves_nothing(case: Case) -> None:
    whole = answer(case.facts)
    known = {a.hypothesis.code for a in (*whole.roots, *whole.hidden, *whole.consequences)}
    # 'healthy' is said of the VIP: a server that fails to join and was not seen does not unsay it
    serves = vip_answers.ask(whole.evidence).truth is Truth.TRUE
    for name, facts in parts(case):
        found = answer(facts)
        sure = {
            a.hypothesis.code
            for a in (*found.roots, *found.hidden)
            if a.standing is Standing.CONFIRMED
        }
        assert sure <= known, name
        assert found.verdict is not Verdict.HEALTHY or serves, name
