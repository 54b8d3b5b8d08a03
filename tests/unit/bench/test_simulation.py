"""What the simulator is aimed at is judged by its raw results."""

from __future__ import annotations

from typing import Any

import pytest
from bench import simulation

from vipkeeper.core.facts import Fact, VipChanged
from vipkeeper.core.types import SECOND, Instant


def found(**changes: Any) -> dict[str, Any]:
    sweep = {
        "command": "vipkeeper simulate", "conditions": {"commit": "abc", "load": 1.0}, "seed": 1, "runs": 9,
        "simulated_hours": 101.0, "events": 9, "faults": 1_000_000, "moves": 3, "seconds": 300.0,
        "violations": 0,
    }  # fmt: skip
    return {
        "conditions": {"commit": "abc", "python": "3.11", "load": 1.0},
        "speed": [{"seed": 1, "events": 100_000, "cpu_s": changes.pop("cpu_s", 1.0)}],
        "speed_compiled": [
            {"seed": 1, "events": 100_000, "cpu_s": changes.pop("compiled_cpu_s", 1.0)}
        ],
        "stuns": [{"seed": 1, "stunned_ms": 300.0, "two_ms": changes.pop("two_ms", 100.0)}],
        "sweeps": [sweep | changes],
    }


def verdicts(results: dict[str, Any]) -> list[str]:
    return [finding.verdict for _, finding in simulation.findings(results)]


def test_what_is_just_enough_is_met_and_shown() -> None:
    assert verdicts(found()) == ["met"] * 5
    assert "1000000" in simulation.section(found())


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({"cpu_s": 1.001}, 0),
        ({"compiled_cpu_s": 1.001}, 1),
        ({"seconds": 303.1}, 2),
        ({"seconds": 243.0, "compiling_s": 60.1}, 2),
        ({"simulated_hours": 99.9, "seconds": 100.0}, 2),
        ({"faults": 999_999}, 3),
        ({"two_ms": 100.1}, 4),
        ({"two_ms": None}, 4),
    ],
)
def test_a_little_less_is_missed(changes: dict[str, Any], missed: int) -> None:
    expected = ["met"] * 5
    expected[missed] = "missed"
    assert verdicts(found(**changes)) == expected


def test_a_broken_promise_spoils_both_sweeps() -> None:
    assert verdicts(found(violations=1)) == ["met", "met", "missed", "missed", "met"]


def test_a_speed_that_was_not_measured_is_neither_met_nor_missed() -> None:
    results = found()
    del results["speed_compiled"]
    assert verdicts(results)[:2] == ["met", "not measured"]
    assert "compiled" not in simulation.section(results)


def test_two_holders_are_counted_from_the_end_of_the_stun() -> None:
    facts: list[tuple[Instant, Fact]] = [
        (0, VipChanged("cp1", True)),
        (3 * SECOND, VipChanged("cp2", True)),
        (6 * SECOND, VipChanged("cp1", False)),
    ]
    assert simulation.both_since(facts, "cp1", SECOND, 5 * SECOND) == (1000.0,)
    assert simulation.both_since(facts, "cp3", SECOND, 5 * SECOND) is None
    assert simulation.both_since(facts[:2], "cp1", SECOND, 5 * SECOND) == (None,)
