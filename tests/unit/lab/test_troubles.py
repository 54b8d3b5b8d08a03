"""The faults of `drill --why`, and what an answer counts for."""

from __future__ import annotations

from typing import Any

import pytest

from vipkeeper.diagnose.registry import all_hypotheses
from vipkeeper.lab.troubles.breaks import BREAKS
from vipkeeper.lab.troubles.faults import FAULTS, Fault
from vipkeeper.lab.troubles.play import judge
from vipkeeper.lab.troubles.setup import SETUPS

BROKEN = Fault("broken", "something", ("VK801",), ("VK808",))
WELL = Fault("well", "nothing", ())


def said(verdict: str, *roots: tuple[str, str], hidden: str = "") -> dict[str, Any]:
    found = [{"code": code, "standing": standing} for code, standing in roots]
    more = [{"code": hidden, "standing": "confirmed"}] if hidden else []
    return {"verdict": verdict, "roots": found, "hidden": more, "consequences": []}


@pytest.mark.parametrize(
    ("fault", "answer", "outcome"),
    [
        (BROKEN, said("root-cause", ("VK801", "confirmed")), "right"),
        (BROKEN, said("root-cause", ("VK801", "likely")), "right"),
        (BROKEN, said("root-cause", ("VK801", "likely"), ("VK808", "likely")), "right"),
        (BROKEN, said("root-cause", ("VK801", "likely"), ("VK822", "likely")), "misled"),
        (BROKEN, said("root-cause", ("VK801", "confirmed"), ("VK822", "likely")), "misled"),
        (BROKEN, said("root-cause", ("VK801", "confirmed"), hidden="VK808"), "right"),
        (BROKEN, said("root-cause", ("VK801", "confirmed"), hidden="VK822"), "wrong"),
        (BROKEN, said("root-cause", ("VK822", "confirmed")), "wrong"),
        (BROKEN, said("root-cause", ("VK822", "likely")), "misled"),
        (BROKEN, said("root-cause", ("VK808", "confirmed")), "misled"),
        (BROKEN, said("undetermined"), "open"),
        (BROKEN, said("healthy"), "misled"),
        (WELL, said("healthy"), "right"),
        (WELL, said("healthy", hidden="VK801"), "wrong"),
        (WELL, said("healthy", ("VK862", "likely")), "misled"),
        (WELL, said("undetermined"), "open"),
        (WELL, said("root-cause", ("VK801", "likely")), "misled"),
    ],
)
def test_what_an_answer_counts_for(fault: Fault, answer: dict[str, Any], outcome: str) -> None:
    assert judge(fault, answer).outcome == outcome


def test_every_fault_can_be_made_and_expects_causes_that_exist() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(set(names)) == len(names) >= 28
    assert set(BREAKS) | set(SETUPS) <= set(names)
    without = {n for n in names if n not in BREAKS and n not in SETUPS}
    assert {n for n in without if not n.startswith("healthy")} == {"no-manager"}
    known = {entry.hypothesis.code for entry in all_hypotheses()}
    assert {code for f in FAULTS for code in (*f.expected, *f.also)} <= known
