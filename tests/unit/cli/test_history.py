"""`history`: from the daemon's file where no daemon lives, and readable either way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vipkeeper.cli.main import main
from vipkeeper.daemon.history import FILE_NAME

ARRIVED = {
    "at": "2026-01-01T00:00:00.000Z",
    "server": "cp2",
    "before": "backup",
    "after": "holder",
    "cause": "holder_silent",
    "epoch": 4,
    "peer": "cp1",
    "duration_ms": 231.4,
    "detail": "",
}
LEFT = ARRIVED | {
    "before": "holder",
    "after": "backup",
    "cause": "from_the_future",
    "epoch": 5,
    "peer": None,
    "duration_ms": None,
}


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    lines = [json.dumps(ARRIVED), json.dumps(LEFT), '{"torn": ']
    (tmp_path / FILE_NAME).write_text("\n".join(lines))
    return tmp_path


def run(state_dir: Path, *options: str) -> int:
    where = ["--run-dir", str(state_dir), "--state-dir", str(state_dir)]
    return main(["history", "--ascii", *where, *options])


def test_moves_are_shown_oldest_first(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(state_dir) == 0
    header, arrived, left = capsys.readouterr().out.splitlines()
    assert header.split() == ["TIME", "MOVE", "TOOK", "EPOCH", "CAUSE"]
    assert "cp1 -> cp2" in arrived
    assert "231 ms" in arrived
    assert arrived.endswith("holder silent")
    assert "cp2 -> (nobody)" in left
    assert left.endswith("from_the_future")


def test_only_the_newest(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(state_dir, "-n", "1", "--output", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["moves"] == [LEFT]
    assert document["schema_version"] == 1


def test_nothing_has_moved_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 0
    assert capsys.readouterr().out == "no moves yet\n"


def test_no_daemon_and_no_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "nowhere") == 3
    assert "was it ever started here?" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-3", "many"])
def test_a_number_of_moves(number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "-n", number) == 2
    assert "expected a whole number from 1" in capsys.readouterr().err
