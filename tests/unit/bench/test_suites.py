"""The measurement of whole suites of the drill."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench import suites
from bench.started import ProgramError

from vipkeeper.report.run import TOO_SLOW

ACTS = [
    {"name": "elect", "verdict": "passed", "reason": ""},
    {"name": "busy", "verdict": "failed", "reason": "the VIP moved"},
    {"name": "thaw", "verdict": "skipped", "reason": "no cgroup v2"},
]
WRITES = 'for last; do :; done; printf %s "$REPORT" > "${last#json=}"; exit $CODE'


@pytest.fixture
def drill(
    interpreter: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], None]:
    def ends_with(code: int) -> None:
        monkeypatch.setenv("REPORT", json.dumps({"acts": ACTS, "conditions": {}}))
        monkeypatch.setenv("CODE", str(code))
        interpreter(WRITES)

    return ends_with


def test_an_act_that_was_not_as_expected_spoils_a_suite_and_is_named(
    drill: Callable[[int], None],
) -> None:
    drill(1)
    found = suites.measure(1.0)
    (_, smoke), (_, full) = suites.findings(found)
    assert smoke.verdict == full.verdict == "missed"
    assert "not as expected: busy: the VIP moved; skipped: thaw: no cgroup v2" in smoke.found


def test_a_suite_is_as_long_as_it_may_be(drill: Callable[[int], None]) -> None:
    suite = {"seconds": 240.0, "acts": 22, "failed": {}, "skipped": {"thaw": "no cgroup v2"}}
    (_, met), (_, unknown) = suites.findings({"suites": {"smoke": suite}})
    assert (met.verdict, unknown.verdict) == ("met", "not measured")
    (_, missed), _ = suites.findings({"suites": {"smoke": suite | {"seconds": 240.1}}})
    assert missed.verdict == "missed"


def test_an_act_that_the_host_was_too_slow_for_has_not_been_measured() -> None:
    why = f"{TOO_SLOW}the daemon of cp1 took 3.3 s to start"
    skipped = {"restart-late": why, "thaw": "no cgroup v2"}
    suite: dict[str, Any] = {"seconds": 200.0, "acts": 22, "failed": {}, "skipped": skipped}
    (_, smoke), _ = suites.findings({"suites": {"smoke": suite}})
    assert smoke.verdict == "not measured"
    assert f"skipped: restart-late: {why}; skipped: thaw: no cgroup v2" in smoke.found
    suite["failed"] = {"busy": "the VIP moved"}
    (_, failed), _ = suites.findings({"suites": {"smoke": suite}})
    assert failed.verdict == "missed"


def test_a_quick_look_plays_the_short_one_alone(drill: Callable[[int], None]) -> None:
    drill(0)
    assert list(suites.measure(0.5)["suites"]) == ["smoke"]


def test_a_drill_that_cannot_begin_is_no_result(drill: Callable[[int], None]) -> None:
    drill(2)
    with pytest.raises(ProgramError, match="ended with 2"):
        suites.measure(0.5)
