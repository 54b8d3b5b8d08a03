"""A soak on real kernels: it goes on where it was interrupted, and stops at the first broken promise."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vipkeeper.lab.act import Act
from vipkeeper.lab.box import in_box
from vipkeeper.lab.cluster import batch
from vipkeeper.lab.drill import Drill, Plan, Progress
from vipkeeper.lab.processes import wait_for
from vipkeeper.lab.soak import QUIET_ACT, Soaking, new_record
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.topology import INTERFACE
from vipkeeper.report.json import dump_run
from vipkeeper.report.soak import dump_soak, load_soak

LIMIT = 150.0
pytestmark = [pytest.mark.lab, pytest.mark.timeout(2 * LIMIT + 30)]


def soak(directory: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "vipkeeper", "drill", "soak", *words),
            *("--part", "soak.json", "--report", "report", "--set", "kernel_lease=6s"),
        ],
        cwd=directory,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_soak_goes_on_after_an_interruption_and_keeps_its_promises(tmp_path: Path) -> None:
    path = tmp_path / "soak.json"
    first = soak(tmp_path, "--hours", "1", "--seed", "5")
    assert wait_for(lambda: path.exists() and load_soak(path.read_text()).drawn >= 1, LIMIT)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=LIMIT)
    assert first.returncode == 130, said
    assert "the same command goes on" in said
    before = load_soak(path.read_text())
    hours = (before.length + 20) / 3600
    second = soak(tmp_path, "--hours", f"{hours:.6f}")
    _, said = second.communicate(timeout=LIMIT)
    after = load_soak(path.read_text())
    assert after.faults[: len(before.faults)] == before.faults
    assert after.drawn > before.drawn
    assert after.length >= before.length + 20
    assert second.returncode == bool(after.violations), said


def _plant(stage: Stage) -> None:
    """A second server has the VIP, and no daemon put it there."""
    server, vip = stage.backup(), f"{stage.cluster.network.vip}/32 dev {INTERFACE}"
    stage.fault(f"{server.name} is given the VIP", server)
    batch(server.name, [f"address add {vip}"])
    stage.recorder.watch(2.0)
    batch(server.name, [f"address del {vip}"])


SECOND_HOLDER = Act(
    "second-holder",
    "A second server has the VIP",
    "What nobody may do.",
    _plant,
    lambda _stage, _figures: [],
)


def test_a_soak_stops_at_the_first_broken_promise_with_its_trace_and_picture() -> None:
    found: dict[str, Any] = {}

    def inside(directory: Path) -> bytes:
        drill = Drill(Plan((QUIET_ACT,)), directory, Progress())
        record = replace(new_record(3, 1.0, False, "2026-11-27T00:00:00Z", "0"), interval_ms=100)
        saved: list[str] = []
        soaking = Soaking(
            drill,
            (SECOND_HOLDER,),
            record,
            lambda one: saved.append(dump_soak(one)),
            lambda *_: None,
        )
        soaking.play()
        failure = soaking.failure
        assert failure is not None
        drill.results = [failure.result]
        parcel = {
            "saved": saved[-1],
            "run": dump_run(drill.report()),
            "traces": {name: len(text) for name, text in failure.traces.items()},
            "logs": list(drill.logs),
        }
        return json.dumps(parcel).encode()

    assert in_box(inside, lambda data: found.update(json.loads(data))) == 0
    record = load_soak(found["saved"])
    assert [fault.kind for fault in record.faults] == ["second-holder"]
    assert any("answers for the VIP in state" in one.text for one in record.violations)
    (act,) = json.loads(found["run"])["acts"]
    assert act["name"] == "second-holder"
    assert act["verdict"] == "failed"
    assert all(length > 1000 for length in found["traces"].values())
    assert len(found["traces"]) == 3
    assert found["logs"]
