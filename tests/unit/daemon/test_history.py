"""The history of moves: one record a move, bounded, and never in the daemon's way."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vipkeeper.core.actions import Cause, State, Transition
from vipkeeper.core.types import MILLISECOND
from vipkeeper.daemon import history
from vipkeeper.daemon.history import (
    FILE_NAME,
    HistoryWriter,
    Move,
    MoveTracker,
    moves_to_json,
    parse_move,
    read_moves,
)

WALL = 1_700_000_000.0


def step(before: State, after: State, cause: Cause, peer: str | None = None) -> Transition:
    return Transition(before, after, cause, 5, peer)


def follow(*steps: tuple[int, Transition]) -> list[Move]:
    tracker = MoveTracker("cp2")
    seen = [tracker.observe(moved, ms * MILLISECOND, WALL) for ms, moved in steps]
    return [move for move in seen if move is not None]


def test_a_takeover_is_one_move_from_the_first_doubt_to_the_address() -> None:
    (move,) = follow(
        (0, step(State.BACKUP, State.SUSPECT, Cause.HOLDER_SILENT, "cp1")),
        (20, step(State.SUSPECT, State.HOLDOFF, Cause.VIP_ANSWERS)),
        (80, step(State.HOLDOFF, State.CLAIM, Cause.LEASE_LAPSED_ELSEWHERE, "cp1")),
        (83, step(State.CLAIM, State.HOLDER, Cause.LEASE_LAPSED_ELSEWHERE, "cp1")),
    )
    assert (move.before, move.after, move.peer) == ("backup", "holder", "cp1")
    assert move.duration_ms == 83
    assert move.reason == "holder's daemon silent, its VIP stopped answering"
    assert move.arrived


def test_a_departure_keeps_the_cause_it_began_with() -> None:
    (move,) = follow(
        (0, step(State.HOLDER, State.RELEASE, Cause.HANDOVER, "cp3")),
        (2, step(State.RELEASE, State.BACKUP, Cause.HOLDER_HEARD, "cp3")),
    )
    assert (move.before, move.after, move.cause) == ("holder", "backup", "handover")
    assert move.duration_ms == 2
    assert not move.arrived


def test_a_doubt_that_came_to_nothing_is_no_move() -> None:
    assert not follow(
        (0, step(State.BACKUP, State.SUSPECT, Cause.HOLDER_SILENT, "cp1")),
        (9, step(State.SUSPECT, State.BACKUP, Cause.HOLDER_HEARD, "cp1")),
    )


def test_a_second_doubt_does_not_count_from_the_first() -> None:
    (move,) = follow(
        (0, step(State.BACKUP, State.SUSPECT, Cause.HOLDER_SILENT)),
        (9, step(State.SUSPECT, State.BACKUP, Cause.HOLDER_HEARD)),
        (5000, step(State.BACKUP, State.CLAIM, Cause.NAMED_SUCCESSOR)),
        (5003, step(State.CLAIM, State.HOLDER, Cause.NAMED_SUCCESSOR)),
    )
    assert move.duration_ms == 3


def test_an_adopted_vip_is_a_move_of_no_duration() -> None:
    (move,) = follow((0, step(State.LISTEN, State.HOLDER, Cause.ADOPTED)))
    assert move.duration_ms is None


def a_move(epoch: int = 1, detail: str = "") -> Move:
    return Move(
        "2026-01-01T00:00:00.000Z", "cp1", "backup", "holder", "handover", epoch, detail=detail
    )


def write(state_dir: Path, *moves: Move) -> None:
    writer = HistoryWriter(state_dir)
    writer.start()
    for move in moves:
        writer.append(move)
    writer.close(timeout=30)


def test_moves_outlive_the_daemon(tmp_path: Path) -> None:
    write(tmp_path / "state", a_move(1), a_move(2, "é\n"))
    write(tmp_path / "state", a_move(3))
    assert [m.epoch for m in read_moves(tmp_path / "state")] == [1, 2, 3]
    assert [m.epoch for m in read_moves(tmp_path / "state", 2)] == [2, 3]
    assert read_moves(tmp_path / "state", 0) == []


def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    write(tmp_path, a_move(1))
    with (tmp_path / FILE_NAME).open("ab") as file:
        file.write(b'{"at": "2026-01')
    write(tmp_path, a_move(2))
    assert [m.epoch for m in read_moves(tmp_path)] == [1, 2]


def test_two_files_at_most_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_FILE", 400)
    write(tmp_path, *(a_move(n) for n in range(40)))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1400
    assert len(list(tmp_path.iterdir())) == 2
    assert [m.epoch for m in read_moves(tmp_path)][-1] == 39


def test_an_unwritable_place_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING):
        write(tmp_path / "file" / "state", a_move(1), a_move(2))
    assert len(caplog.records) == 1
    assert "cannot write" in caplog.text


def test_a_stuck_disk_blocks_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer = HistoryWriter(tmp_path)  # never started: nothing is ever taken from the queue
    for number in range(history.MAX_WAITING + 10):
        writer.append(a_move(number))
    writer.close(timeout=0.01)
    assert "too slow" in caplog.text


@given(st.binary(max_size=200))
def test_any_line_is_a_move_or_nothing(line: bytes) -> None:
    assert isinstance(parse_move(line), Move | None)


def test_no_file_is_an_empty_history(tmp_path: Path) -> None:
    assert read_moves(tmp_path) == []


def test_an_answer_keeps_the_newest_and_says_what_it_left_out() -> None:
    document = moves_to_json(a_move(n, "x" * 1000) for n in range(100))
    assert document["moves"][-1]["epoch"] == 99
    assert document["omitted"] > 0
    assert document["omitted"] + len(document["moves"]) == 100
    assert document["moves"][0]["epoch"] == document["omitted"]


@pytest.mark.parametrize("duration", ["NaN", "Infinity", "-1", "1" + "0" * 400])
def test_a_damaged_duration_is_no_record(duration: str) -> None:
    """`history` would end in a traceback, or write JSON that no other program reads."""
    line = '{"at":"x","server":"cp1","before":"backup","after":"holder","cause":"started","epoch":1'
    assert parse_move(line + "}") is not None
    assert parse_move(f'{line},"duration_ms":{duration}}}') is None
