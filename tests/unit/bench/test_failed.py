"""A program that a measurement started and that hangs or fails: one line, exit code 1, nothing left of it."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench import command, lint, probe, rest, results, simulation, started, why
from bench.started import ProgramError
from tools.compiled import AS_IT_IS, CompileError

PATIENCE_MS = 10_000
HANGS = "echo first >&2; echo 'the last word' >&2; sleep 60 & wait"
FAILS = "echo first >&2; echo 'the last word' >&2; exit 9"
ENOUGH = 60.0
"""Seconds in which whatever does not hang has ended."""


def small(monkeypatch: pytest.MonkeyPatch, limit: float) -> None:
    """As little as there can be of everything that comes before the programs, and their limit of time."""
    for module in (why, lint, simulation, rest):
        monkeypatch.setattr(module, "PATIENCE", limit)
    monkeypatch.setattr(why, "SIZE", 1 << 22)
    monkeypatch.setattr("tools.compiled.build", lambda **_: AS_IT_IS)


@pytest.mark.parametrize("what", ["why", "lint", "simulate", "rest"])
@pytest.mark.parametrize(
    ("script", "limit", "said"),
    [
        # Within so short a time it may not have said anything yet.
        (HANGS, 0.2, "not ended after 0.2 s(: first|: the last word)?"),
        (FAILS, ENOUGH, "ended with 9: the last word"),
    ],
)
def test_a_program_that_hangs_or_fails_is_one_line_and_leaves_nothing(
    what: str,
    script: str,
    limit: float,
    said: str,
    interpreter: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small(monkeypatch, limit)
    folder = interpreter(f"echo $$ >> {tmp_path}/pids; {script}")
    path = tmp_path / "own.json"
    results.save(path, {"schema_version": 1, "cells": {}})
    before = path.read_text()
    assert command.main([what, "--out", str(path), "--scale", "0.01"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(f"bench: python .*: {said}", line)
    assert path.read_text() == before
    assert list(folder.iterdir()) == []
    pids = tmp_path / "pids"
    for pid in pids.read_text().split() if pids.exists() else ():
        assert not Path("/proc", pid).exists()


def test_what_a_program_that_hangs_has_started_ends_too(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(ProgramError, match=r"not ended after 0\.5 s"):
        started.timed(["sh", "-c", f"sleep 60 > {pipe} & wait"], timeout=0.5)
    poll = select.poll()
    poll.register(reading)
    poll.poll(PATIENCE_MS)
    assert os.read(reading, 1) == b"", "somebody has it still open"
    os.close(reading)


def test_what_a_program_that_failed_leaves_behind_ends_too(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    # `exec` opens the pipe before the program ends.
    with pytest.raises(ProgramError, match="ended with 9"):
        started.timed(["sh", "-c", f"exec 3> {pipe}; sleep 60 & exit 9"], timeout=ENOUGH)
    poll = select.poll()
    poll.register(reading)
    assert poll.poll(PATIENCE_MS), "somebody has it still open"
    assert os.read(reading, 1) == b""
    os.close(reading)


def test_a_signal_that_ended_a_program_is_named() -> None:
    with pytest.raises(ProgramError) as failed:
        started.finish(["sh", "-c", "kill -KILL $$"], timeout=60)
    assert str(failed.value) == "sh -c 'kill -KILL $$': ended by signal 9"


def test_what_ends_with_a_code_that_it_should_not_is_no_measurement() -> None:
    with pytest.raises(ProgramError) as failed:
        started.timed(["sh", "-c", "echo why >&2; exit 3"], timeout=60)
    assert str(failed.value) == "sh -c 'echo why >&2; exit 3': ended with 3: why"


def test_what_a_program_used_is_measured() -> None:
    wall, usage = started.timed(["sh", "-c", "exit 3"], timeout=60, accepted=(3,))
    assert wall > 0
    assert usage.ru_maxrss > 0


def test_an_output_that_is_no_json_is_one_line() -> None:
    done = started.finish(["sh", "-c", "echo half of; echo why >&2"], timeout=60)
    with pytest.raises(ProgramError, match=r": its output cannot be read: why$"):
        started.json_of(done)


def test_a_program_that_fails_in_a_box_is_told_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    def box(work: Callable[[Path], bytes], take: Callable[[bytes], None]) -> int:
        try:
            take(work(Path()))
        except ProgramError:
            return 70  # as of whatever a box does not expect
        return 0

    def fails(_: Path) -> bytes:
        raise ProgramError.ended(["vipkeeper", "why"], 70, "a defect")

    monkeypatch.setattr(started, "in_box", box)
    with pytest.raises(ProgramError) as failed:
        started.boxed(fails)
    assert str(failed.value) == "vipkeeper why: ended with 70: a defect"
    assert started.boxed(lambda _: b"result") == b"result"


@pytest.mark.parametrize(
    ("script", "limit", "said"),
    [
        ("echo gone >&2; exit 4", ENOUGH, "ended with 4: gone"),
        ("exec sleep 60", 0.2, "not ended after 0.2 s"),
    ],
)
def test_a_client_of_the_probe_that_hangs_or_ends_is_one_line(
    script: str, limit: float, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ProgramError) as failed:
        probe.hear(["sh", "-c", script], 9, tmp_path / "client.log", limit)
    assert str(failed.value) == f"sh -c '{script}': {said}"


def test_a_simulator_that_cannot_be_compiled_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def build(**_: Any) -> None:
        raise CompileError("compiler.py failed:\n  a note\n  the last word")

    monkeypatch.setattr("tools.compiled.build", build)
    path = tmp_path / "own.json"
    assert command.main(["simulate", "--out", str(path)]) == 1
    assert capsys.readouterr().err == "bench: compiler.py failed: the last word\n"
    assert not path.exists()


def test_a_daemon_that_ended_at_rest_is_one_line() -> None:
    class Gone:
        words = ("vipkeeper", "run")
        running = False

        def last_words(self, _: int) -> str:
            return "no such interface"

    daemons: Any = {"cp1": Gone()}
    with pytest.raises(ProgramError) as failed:
        rest._all_run(daemons)
    assert str(failed.value) == "ip netns exec cp1 vipkeeper run: has ended: no such interface"


def test_a_check_that_has_just_ended_costs_nothing() -> None:
    class Daemon:
        def tree(self) -> list[int]:
            return [os.getpid(), ended]

    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    ended = done.pid
    daemon: Any = Daemon()
    assert rest._ticks(daemon) > 0
    assert rest._memory(ended) is None
