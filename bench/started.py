"""What the bench starts: each program leads a process group of its own, and ends with whatever waits for it."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any

from bench import results
from bench.start import INTERRUPTED

from vipkeeper.lab.box import in_box
from vipkeeper.report.style import one_line

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a user or a service manager ends a measurement with."""
GRACE = 15.0
"""Seconds a program has to end after SIGTERM: a drill writes what it saw and takes its box away."""
SHOWN = 300
"""Characters of what a program said that a message has."""
_MADE, _FAILED = b"M", b"F"
"""First byte of what comes out of a box: what was made, or which program failed in it."""


class ProgramError(Exception):
    """A program took too long or ended as it must not; says which, how, and its last words, in one line."""

    @classmethod
    def late(cls, words: Sequence[str], limit: float, said: str) -> ProgramError:
        """`limit`: the seconds it had; `said`: what it wrote to stderr."""
        return cls(_line(words, f"not ended after {limit:g} s", said))

    @classmethod
    def ended(cls, words: Sequence[str], code: int, said: str) -> ProgramError:
        """`code`: of its end, negative for a signal."""
        how = f"ended with {code}" if code >= 0 else f"ended by signal {-code}"
        return cls(_line(words, how, said))

    @classmethod
    def gone(cls, words: Sequence[str], said: str) -> ProgramError:
        """One that was to go on."""
        return cls(_line(words, "has ended", said))

    @classmethod
    def odd(cls, words: Sequence[str], said: str) -> ProgramError:
        """What it wrote cannot be read."""
        return cls(_line(words, "its output cannot be read", said))


def _line(words: Sequence[str], how: str, said: str) -> str:
    command = shlex.join([Path(words[0]).name, *words[1:]])
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "")
    return one_line(f"{command}: {how}{': ' if last else ''}{last[-SHOWN:]}")


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
    stderr: int | IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Start a program; when the block is left, also by a signal, its group has ended.

    Ctrl-C in a terminal reaches the bench alone, so that a program is told once.
    """
    process = None
    try:
        with held():
            process = subprocess.Popen(
                words, stdout=stdout, stderr=stderr, env=env, errors="replace", process_group=0
            )
        yield process
    finally:
        if process is not None:
            with process:
                end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a program of `started` and wait for it; it is killed if it takes too long, as is what it leaves behind.

    A second signal does not wait that long.
    """
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(GRACE)
    with contextlib.suppress(ProcessLookupError):
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


def finish(
    words: Sequence[str],
    *,
    timeout: float,
    accepted: Collection[int] = (0,),
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to an end that is accepted, and keep what it wrote.

    Raises:
        ProgramError: it took longer than `timeout` seconds, or ended with another code; it has ended.
    """
    try:
        done = run(words, env=env, timeout=timeout)
    except subprocess.TimeoutExpired as error:
        said = error.stderr or b""
        text = said if isinstance(said, str) else said.decode(errors="replace")
        raise ProgramError.late(words, timeout, text) from None
    if done.returncode not in accepted:
        raise ProgramError.ended(words, done.returncode, done.stderr)
    return done


def timed(
    words: Sequence[str],
    *,
    timeout: float,
    accepted: Collection[int] = (0,),
    env: Mapping[str, str] | None = None,
) -> tuple[float, resource.struct_rusage]:
    """Seconds that a program took, and what it used of the machine (wait4(2)); its output goes nowhere.

    Raises:
        ProgramError: as `finish`.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        with started(words, stdout=output, stderr=errors, env=env) as process:
            in_time = _ends(process.pid, timeout)
            if in_time:
                _, status, usage = os.wait4(process.pid, 0)
                wall = time.perf_counter() - begin
                process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    if not in_time:
        raise ProgramError.late(words, timeout, said)
    if process.returncode not in accepted:
        raise ProgramError.ended(words, process.returncode, said)
    return wall, usage


def _ends(pid: int, timeout: float) -> bool:
    """Whether a child ends within so many seconds; it is not waited for."""
    handle = os.pidfd_open(pid)
    try:
        return bool(select.select([handle], [], [], timeout)[0])
    finally:
        os.close(handle)


def json_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON object that a program wrote to stdout.

    Raises:
        ProgramError: it is none.
    """
    with contextlib.suppress(ValueError, RecursionError):
        if isinstance(found := json.loads(done.stdout), dict):
            return found
    raise ProgramError.odd(done.args, done.stderr)


def boxed(work: Callable[[Path], bytes]) -> bytes:
    """What `work` made in a box of its own.

    Raises:
        KeyboardInterrupt: a signal ended it.
        ProgramError: as `work` raised it.
        ResultsError: it ended without a result; the line before says why.
        HostError: as `work` raised it, or there can be no box here.
    """
    made: list[bytes] = []

    def told(directory: Path) -> bytes:
        try:
            return _MADE + work(directory)
        except ProgramError as error:
            return _FAILED + str(error).encode()

    code = in_box(told, made.append)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if not made:
        raise results.ResultsError(f"the measurement ended with {code} and without a result")
    if made[0][:1] == _FAILED:
        raise ProgramError(made[0][1:].decode())
    return made[0][1:]
