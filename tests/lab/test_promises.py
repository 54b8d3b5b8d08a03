"""Real daemons, and what is planted beside them: the lab's judge of the promises finds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vipkeeper.lab.act import Act
from vipkeeper.lab.box import in_box
from vipkeeper.lab.drill import Drill, Plan, Progress
from vipkeeper.lab.processes import command
from vipkeeper.lab.promises import KEPT
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.topology import INTERFACE
from vipkeeper.report.trace import load_trace

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]
PLANTED_FOR = 5.0
"""Seconds: longer than the lease of 3 s, after which two kernels with the VIP are no accident."""


def _plant(stage: Stage) -> None:
    other = stage.backup()
    vip = f"{stage.cluster.network.vip}/32"
    command("ip", "-n", other.name, "address", "add", vip, "dev", INTERFACE)
    stage.recorder.watch(PLANTED_FOR)
    command("ip", "-n", other.name, "address", "del", vip, "dev", INTERFACE)


def _watch(stage: Stage) -> None:
    stage.recorder.watch(1.0)


def _acts(directory: Path) -> bytes:
    """Two acts on one cluster: nothing, and a second kernel that gets the VIP by hand."""
    played = {"nothing": _watch, "planted": _plant}
    acts = tuple(
        Act(name, name, "", play, lambda *_: [], servers=2) for name, play in played.items()
    )
    drill = Drill(Plan(acts), directory, Progress())
    drill.play()
    verdicts = {
        act.name: [[e.met, e.found] for e in act.expectations if e.text == KEPT]
        for act in drill.results
    }
    drill.stop_measuring()
    found = {"verdicts": verdicts, "trace": drill.logs.get("planted-1/trace.ndjson", "")}
    return json.dumps(found).encode()


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    parcels: list[bytes] = []
    assert in_box(_acts, parcels.append) == 0
    read = json.loads(parcels[-1])
    assert isinstance(read, dict)
    return read


def test_daemons_that_are_left_alone_keep_every_promise(found: dict[str, Any]) -> None:
    assert found["verdicts"]["nothing"] == [[True, "none broken"]]


def test_two_kernels_with_the_vip_are_found(found: dict[str, Any]) -> None:
    ((met, text),) = found["verdicts"]["planted"]
    assert not met
    assert "S1: " in text
    assert "S4: " in text


def test_the_trace_of_the_act_is_kept_and_says_the_same_to_the_report(
    found: dict[str, Any],
) -> None:
    (note,) = (n for n in load_trace(found["trace"]).notes if n.startswith("promises"))
    assert "broken: S" in note
