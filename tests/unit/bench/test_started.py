"""Ctrl-C and SIGTERM end what the bench has started, and leave nothing of it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest
from bench import results, runner, soak, started
from bench.cells import Cell
from bench.command import main as bench

SIGNALS = ("INT", "TERM", "HUP")
PATIENCE_MS = 10_000
WAITED_FOR = "until grep -q '^State:.S' /proc/$PPID/status; do :; done"
"""Shell: until its parent waits. A signal in the instant before would be answered when the child ends."""


def test_what_is_done_without_a_signal_is_kept() -> None:
    done = started.run(["sh", "-c", "echo said; echo beside >&2; exit 3"])
    assert (done.returncode, done.stdout, done.stderr) == (3, "said\n", "beside\n")


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A pipe by which a program is told to go on."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_ends_the_program_and_what_that_has_started(name: str, gate: Path) -> None:
    reading, writing = os.pipe()
    words = ["sh", "-c", f"sleep 60 & read go < {gate}; {WAITED_FOR}; kill -{name} $PPID; wait"]
    with os.fdopen(writing, "wb") as output:
        code = _interrupted(words, output, gate)
    poll = select.poll()
    poll.register(reading)
    assert poll.poll(PATIENCE_MS), "somebody has the output still open"
    assert os.read(reading, 1) == b""
    os.close(reading)
    assert code == -signal.SIGTERM


def _interrupted(words: list[str], output: IO[bytes], gate: Path) -> int | None:
    """How a program ended that was told to go on, and whose signal is awaited."""
    with started.interrupting():
        try:
            with started.started(words, stdout=output) as process:
                gate.write_text("go\n")
                process.wait()
        except KeyboardInterrupt:
            return process.returncode
    return None


def test_a_signal_while_a_program_starts_ends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[subprocess.Popen[str]] = []

    def popen(*words: Any, **options: Any) -> subprocess.Popen[str]:
        made.append(original(*words, **options))
        signal.raise_signal(signal.SIGTERM)
        return made[0]

    original = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", popen)
    with pytest.raises(KeyboardInterrupt), started.interrupting():
        started.run(["sleep", "60"])
    assert made[0].returncode == -signal.SIGTERM


def test_who_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, gate: Path) -> None:
    monkeypatch.setattr(started, "GRACE", 0.05)
    words = ["sh", "-c", f"trap '' TERM; read go < {gate}; while :; do sleep 60; done"]
    with started.started(words) as process:
        gate.write_text("go\n")
    assert process.returncode == -signal.SIGKILL


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with started.interrupting():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("name", SIGNALS)
def test_an_interrupted_block_leaves_no_drill_and_no_folder(
    name: str, interpreter: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = interpreter(
        f"trap 'touch {tmp_path}/ended; exit 130' TERM; echo $$ > {tmp_path}/pid; "
        f"{WAITED_FOR}; kill -{name} $PPID; sleep 60 & wait"
    )
    with pytest.raises(KeyboardInterrupt), started.interrupting():
        runner.block_of(Cell("power-off", "power-off", 1, ""), "vipkeeper", 1)
    assert list(folder.iterdir()) == []
    assert (tmp_path / "ended").exists(), "a drill is asked to end, and takes its box away"
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


@pytest.mark.parametrize("name", SIGNALS)
def test_an_interrupted_soak_has_saved_and_leaves_no_folder(
    name: str,
    interpreter: Callable[[str], Path],
    tmp_path: Path,
    gate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = interpreter(
        f"trap 'touch {tmp_path}/saved; exit 130' TERM; read go < {gate}; {WAITED_FOR}; kill -{name} $PPID; "
        "sleep 60 & wait"
    )
    told: list[bool] = []

    def wait(process: subprocess.Popen[str], timeout: float | None = None) -> int:
        if not told:
            told.append(True)  # before the signal that this brings
            gate.write_text("go\n")
        return original(process, timeout)

    original = subprocess.Popen.wait
    monkeypatch.setattr(results, "conditions", dict)
    monkeypatch.setattr(subprocess.Popen, "wait", wait)
    with started.interrupting():
        code = soak.play(1.0, 1.0, quiet=True, seed=1, path=tmp_path / "soak.json")
    assert code == 130
    assert (tmp_path / "saved").exists()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("code", "left"), [(0, 0), (1, 1), (2, 0), (130, 0)])
def test_only_a_broken_promise_leaves_a_report(
    code: int, left: int, interpreter: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = interpreter(f'for last; do :; done; touch "$last/half"; exit {code}')
    assert soak.play(1.0, 1.0, quiet=True, seed=1, path=tmp_path / "soak.json") == code
    assert len(list(folder.iterdir())) == left


@pytest.mark.parametrize("what", ["probe", "rest"])
def test_a_signal_to_a_box_is_one_line(
    what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(started, "in_box", lambda _work, _take: 130)
    monkeypatch.setattr("bench.rest.HELP_RUNS", 1)
    assert bench([what, "--out", str(tmp_path / "lab.json")]) == 130
    assert capsys.readouterr().err == "bench: interrupted; the same command goes on from here\n"


def test_a_box_that_ends_without_a_result_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(started, "in_box", lambda _work, _take: 70)
    with pytest.raises(results.ResultsError, match="ended with 70 and without a result"):
        started.boxed(lambda _: b"")
