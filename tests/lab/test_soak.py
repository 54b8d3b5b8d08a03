"""A soak on real kernels: it goes on where it was interrupted, and stops at the first broken promise."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vipkeeper.cli import drill_soak, main
from vipkeeper.errors import ExitCode
from vipkeeper.lab.act import Act
from vipkeeper.lab.cluster import batch
from vipkeeper.lab.processes import wait_for
from vipkeeper.lab.schedule import step
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.topology import INTERFACE
from vipkeeper.report.soak import load_soak

LIMIT = 150.0
pytestmark = [pytest.mark.lab, pytest.mark.timeout(3 * LIMIT + 30)]


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


def played(path: Path, faults: int) -> bool:
    """The record says that so many faults are over."""
    return path.exists() and load_soak(path.read_text()).drawn >= faults


def test_a_soak_goes_on_after_any_interruption_and_keeps_its_promises(tmp_path: Path) -> None:
    path = tmp_path / "soak.json"
    killed = soak(tmp_path, "--hours", "1", "--seed", "5")
    assert wait_for(lambda: played(path, 1), LIMIT)
    killed.kill()
    killed.communicate(timeout=LIMIT)
    seen = load_soak(path.read_text())
    first = soak(tmp_path, "--hours", "1")
    assert wait_for(lambda: played(path, seen.drawn + 1), LIMIT)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=LIMIT)
    assert first.returncode == 130, said
    assert "the same command goes on" in said
    before = load_soak(path.read_text())
    assert before.faults[: len(seen.faults)] == seen.faults
    assert [part.at for part in before.parts] == [0.0, seen.length]
    hours = (before.length + 20) / 3600
    second = soak(tmp_path, "--hours", f"{hours:.6f}")
    _, said = second.communicate(timeout=LIMIT)
    after = load_soak(path.read_text())
    assert after.faults[: len(before.faults)] == before.faults
    assert after.drawn > before.drawn
    assert after.length >= before.length + 20
    assert (second.returncode, after.violations) == (ExitCode.OK, ()), said


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


def test_a_soak_stops_at_the_first_broken_promise_with_traces_and_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drill_soak, "mending", lambda _acts, _servers: (SECOND_HOLDER,))
    path, report = tmp_path / "soak.json", tmp_path / "report"
    words = ["--hours", "1", "--seed", "3", "--part", str(path), "--report", str(report)]
    assert main.main(["drill", "soak", *words]) == ExitCode.FINDINGS
    record = load_soak(path.read_text())
    assert [fault.kind for fault in record.faults] == ["second-holder"]
    assert any("answers for the VIP in state" in one.text for one in record.violations)
    (act,) = json.loads((report / "run.json").read_text())["acts"]
    assert (act["name"], act["verdict"]) == ("second-holder", "failed")
    assert "<svg" in (report / "second-holder.svg").read_text()
    assert "<svg" in (report / "soak.svg").read_text()
    assert (report / "logs" / "second-holder-1" / "cp1-vipkeeper.log").exists()
    for name in ("cp1", "cp2", "cp3", "lab"):
        assert main.main(["report", str(report / "traces" / f"{name}.ndjson")]) in (0, 3)
    out, said = capfd.readouterr()
    assert "BROKEN" in out
    assert "broken: S" in " ".join(out.split())
    again = step((SECOND_HOLDER,), 3, 0).seed
    assert f"vipkeeper drill second-holder --seed {again} --set move_budget=0" in said
    assert "vipkeeper drill soak --hours 1 --seed 3 --part again.json" in said
