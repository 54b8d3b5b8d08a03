"""The verb `simulate`: exit codes, what a failure says, and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vipkeeper.cli.main import main
from vipkeeper.errors import ExitCode

SHORT = "0.002"


def test_a_seed_that_keeps_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--seed", "5", "--hours", SHORT]) == ExitCode.OK
    assert "every promise was kept" in capsys.readouterr().out


def test_a_sweep_on_two_processes_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["simulate", "--seed", "5", "--sweep", "2", "--jobs", "2", "--hours", SHORT]
    assert main([*argv, "--output", "json"]) == ExitCode.OK
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert (document["runs"], document["violations"], document["failed"]) == (2, 0, [])
    assert document["events"] > 0
    assert "2/2 seeds" in told.err


def test_a_failure_has_all_that_is_needed_to_play_it_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("vipkeeper.core.invariants.robust.MOST_ACTIONS", 0)
    found = tmp_path / "found.json"
    argv = ["simulate", "--seed", "1002", "--hours", SHORT, "--no-shrink", "--ascii"]
    assert main([*argv, "--output", "text", "--output", f"json={found}"]) == ExitCode.FINDINGS
    text = capsys.readouterr().out
    assert "seed 1002, vipkeeper" in text
    assert "settings: " in text
    assert "t/s" in text
    assert "play it again: vipkeeper simulate --seed 1002 --hours 0.002" in text
    (failed,) = json.loads(found.read_text())["failed"]
    assert failed["seed"] == 1002
    assert failed["violations"]


@pytest.mark.parametrize(
    ("option", "value"),
    [("--seed", "-1"), ("--hours", "0"), ("--hours", "x"), ("--sweep", "0"), ("--jobs", "many")],
)
def test_what_is_no_number_is_refused(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", f"{option}={value}"]) == ExitCode.USAGE
    assert option in capsys.readouterr().err
