"""Every rule finds its mistake in its bad cases, and nothing in its ok cases."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from support.lint_cases import Case, cases, printed
from vipkeeper.lint.registry import Registered, all_rules
from vipkeeper.lint.rule import Confidence, Severity

FIXTURES = Path(__file__).parent / "fixtures"
RULES = {registered.rule.code: registered for registered in all_rules()}
NEEDED = [registered for registered in all_rules() if registered.rule.code[:3] in ("VK0",)]
"""Rules that run along in every case: a fixture that cannot be read proves nothing."""


def all_cases(which: str) -> list[ParameterSet]:
    return [
        pytest.param(code, case, id=case.name)
        for code in RULES
        for case in cases(FIXTURES / code / which)
    ]


def only(code: str) -> list[Registered]:
    return [*(r for r in NEEDED if r.rule.code != code), RULES[code]]


@pytest.mark.parametrize("code", RULES)
def test_has_both_cases(code: str) -> None:
    assert cases(FIXTURES / code / "bad"), f"no tests/lint/fixtures/{code}/bad/"
    assert cases(FIXTURES / code / "ok"), f"no tests/lint/fixtures/{code}/ok/"


def test_no_fixtures_of_unknown_rules() -> None:
    assert {path.name for path in FIXTURES.iterdir()} <= set(RULES)


@pytest.mark.parametrize(("code", "case"), all_cases("bad"))
def test_bad_trips_its_rule(code: str, case: Case, request: pytest.FixtureRequest) -> None:
    outcome = case.lint(only(code))
    own = [finding for finding in outcome.findings if finding.code == code]
    assert own, f"{case.name}: {code} finds nothing"
    others = {f.code for f in outcome.findings} - {code} - set(case.read(".also").split())
    assert not others, f"{case.name}: also found {others}; name them in {case.path.name}.also"
    found = printed(case, own)
    expected = case.beside(".expected")
    if request.config.getoption("--rewrite"):
        expected.write_text(found, encoding="utf-8")
    assert found == (expected.read_text(encoding="utf-8") if expected.exists() else None), (
        f"{case.name}: findings changed; --rewrite writes them anew, then read the diff"
    )


@pytest.mark.parametrize(("code", "case"), all_cases("ok"))
def test_ok_is_silent(code: str, case: Case) -> None:
    outcome = case.lint(only(code))
    assert outcome.files, f"{case.name}: nothing in it was judged"
    assert printed(case, outcome.findings) == ""


@pytest.mark.parametrize(("code", "case"), all_cases("ok"))
def test_ok_is_no_error_of_another_rule(code: str, case: Case) -> None:
    allowed = case.read(".also").split()
    certain = [
        finding
        for finding in case.lint().findings
        if finding.severity is Severity.ERROR
        and finding.confidence is Confidence.CERTAIN
        and finding.code not in allowed
    ]
    assert printed(case, certain) == ""
