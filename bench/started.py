"""What the bench starts: each program leads a process group of its own, and ends with whatever waits for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

from bench import results

from vipkeeper.lab.box import in_box

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a user or a service manager ends a measurement with."""
INTERRUPTED = 130
GRACE = 15.0
"""Seconds a program has to end after SIGTERM: a drill writes what it saw and takes its box away."""


def raise_interrupt(_number: int, _frame: FrameType | None) -> None:
    """The handler of every signal that ends the bench.

    Raises:
        KeyboardInterrupt: always.
    """
    raise KeyboardInterrupt


@contextlib.contextmanager
def interrupting() -> Iterator[None]:
    """Until the end of the block each of SIGNALS is a KeyboardInterrupt; one that is ignored stays so."""
    with _handled(raise_interrupt):
        yield


@contextlib.contextmanager
def held() -> Iterator[None]:
    """A signal that comes within the block is answered at its end."""
    came: list[int] = []
    with _handled(lambda number, _frame: came.append(number)):
        yield
    if came:
        signal.raise_signal(came[0])


@contextlib.contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {
        number: signal.signal(number, handler)
        for number in SIGNALS
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


@contextlib.contextmanager
def started(
    words: Sequence[str],
    *,
    stdout: int | IO[bytes] | None = None,
    stderr: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Start a program; when the block is left, also by a signal, its group has ended.

    Ctrl-C in a terminal reaches the bench alone, so that a program is told once.
    """
    process = None
    try:
        with held():
            process = subprocess.Popen(
                words, stdout=stdout, stderr=stderr, env=env, text=True, process_group=0
            )
        yield process
    finally:
        if process is not None:
            with process:
                end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a program of `started` and wait for it; its whole group is killed if it takes too long.

    A second signal does not wait that long.
    """
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run(
    words: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and keep what it wrote.

    Raises:
        subprocess.TimeoutExpired: it took longer; it has ended.
    """
    with started(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as process:
        stdout, stderr = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)


def boxed(work: Callable[[Path], bytes]) -> bytes:
    """What `work` made in a box of its own.

    Raises:
        KeyboardInterrupt: a signal ended it.
        ResultsError: it ended without a result; the line before says why.
        HostError: as `work` raised it, or there can be no box here.
    """
    made: list[bytes] = []
    code = in_box(work, made.append)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if not made:
        raise results.ResultsError(f"the measurement ended with {code} and without a result")
    return made[0]
