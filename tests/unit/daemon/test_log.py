"""Log lines: one a transition, with levels journald understands, and alarms that do not flood."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from vipkeeper.core.actions import Alarm, AlarmKind, Cause, State, Transition
from vipkeeper.daemon import log
from vipkeeper.daemon.log import LogFormat

LOGGER = logging.getLogger("vipkeeper.test")
MOVED = Transition(State.BACKUP, State.SUSPECT, Cause.HOLDER_SILENT, 4, "cp1", "200 ms")


@pytest.fixture(autouse=True)
def _keep_root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising


def test_a_transition_is_one_line() -> None:
    stream = io.StringIO()
    log.set_up(stream=stream)
    log.transition(LOGGER, MOVED)
    (line,) = stream.getvalue().splitlines()
    assert line.endswith(" info backup -> suspect: holder silent (cp1), epoch 4; 200 ms")


def test_json_lines_carry_the_fields() -> None:
    stream = io.StringIO()
    log.set_up(LogFormat.JSON, stream=stream)
    log.transition(LOGGER, MOVED)
    document = json.loads(stream.getvalue())
    assert document["cause"] == "holder_silent"
    assert document["peer"] == "cp1"
    assert document["level"] == "info"


def test_under_journald_a_line_starts_with_its_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        status = (tmp_path / "journal").stat()
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        log.set_up(stream=stream)
        log.transition(LOGGER, MOVED)
        log.transition(LOGGER, Transition(State.HOLDER, State.BLOCKED, Cause.LINK_LOST, 4))
        stream.seek(0)
        first, second = stream.read().splitlines()
    assert first.startswith("<6>backup -> suspect")
    assert second.startswith("<4>holder -> blocked")


@pytest.mark.parametrize("value", ["", "8:1", "nonsense", "::", "1:2:3"])
def test_another_stream_gets_no_level_prefix(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", value)
    assert not log.is_journal(io.StringIO())


def test_foreign_text_cannot_forge_a_line() -> None:
    stream = io.StringIO()
    log.set_up(stream=stream)
    log.alarm(LOGGER, Alarm(AlarmKind.ADVERT_REJECTED, "from x\n2026 info all is well\x1b[2J"))
    (line,) = stream.getvalue().splitlines()
    assert "\\n2026" in line
    assert "\x1b" not in line


def test_a_closed_stream_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    log.set_up(stream=stream)
    stream.close()
    log.transition(LOGGER, MOVED)
    assert capsys.readouterr().err == ""
