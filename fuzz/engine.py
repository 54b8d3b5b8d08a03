"""Runs one target in this process: under atheris where it is installed, else with our own mutator."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fuzz.mutate import mutate
from fuzz.target import INSTRUMENTED, Target, load

ROOT = Path(__file__).resolve().parent.parent
CRASHES = ROOT / "fuzz" / "crashes"
"""Inputs that were a finding; not in git."""
LONGEST_INPUT_SECONDS = 20
"""An input that takes longer is a finding."""
BOTH = ("atheris", "plain")


class HangError(Exception):
    """An input took too long."""


def engines() -> tuple[str, ...]:
    """The engines there are, the better one first."""
    return BOTH if importlib.util.find_spec("atheris") is not None else BOTH[1:]


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise `HangError` in this thread when the block takes longer."""

    def expired(*_: object) -> None:
        raise HangError(f"longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def failure(target: Target, data: bytes) -> BaseException | None:
    """What leaves the target for this input."""
    try:
        target.check(data)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the finding
        return error
    return None


def replay(target: Target, path: Path) -> BaseException | None:
    """Feed one file once."""
    with time_limit(LONGEST_INPUT_SECONDS):
        return failure(target, path.read_bytes())


def keep(target: Target, data: bytes) -> Path:
    """Write the input of a finding to a file."""
    folder = CRASHES / target.name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(data).hexdigest()[:12]
    path.write_bytes(data)
    return path


def report(target: Target, path: Path, error: BaseException) -> str:
    """For whoever has to mend it: the target, the exception with its traceback, how to replay it."""
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" at {last[0].filename}:{last[0].lineno}" if last else ""
    return "".join(
        [
            *traceback.format_exception(error),
            f"fuzz: {target.name}: {type(error).__name__}: {error}{where}\n",
            f"fuzz: {target.name}: replay with: ./dev fuzz {target.name} --replay {shown}\n",
        ]
    )


def fail(target: Target, data: bytes, error: BaseException) -> int:
    """Keep and report a finding; the exit code."""
    sys.stderr.write(report(target, keep(target, data), error))
    sys.stderr.flush()
    return 1


def run_plain(name: str, until: float, seed: int, work: Path) -> int:
    """Feed the corpus, then mutations of it until `until` (time.monotonic); 1 when one is a finding.

    `work` is a folder for what an engine wants to keep meanwhile; this one keeps nothing.
    """
    del work
    target = load(name)
    pool = [path.read_bytes() for path in target.corpus()] or [b""]
    rng = random.Random(f"{name} {seed}")
    count = 0
    while count < len(pool) or time.monotonic() < until:
        if count < len(pool):
            data = pool[count]
        elif target.mutate is not None and rng.random() < 0.5:
            data = target.mutate(rng.choice(pool), rng)[: target.longest]
        else:
            data = mutate(rng.choice(pool), rng, target.longest, pool)
        count += 1
        try:
            with time_limit(LONGEST_INPUT_SECONDS):
                error = failure(target, data)
        except HangError as hang:
            error = hang
        if error is not None:
            return fail(target, data, error)
    sys.stdout.write(f"{count}\n")
    return 0


def run_atheris(name: str, until: float, seed: int, work: Path) -> int:
    """Like `run_plain`, guided by coverage; inputs that reach something new go to `work`. Never returns:
    libFuzzer is ended with the process."""
    import atheris

    include, exclude = INSTRUMENTED.get(name, (["vipkeeper"], []))
    with atheris.instrument_imports(include=include, exclude=exclude):
        target = load(name)
    count = 0

    def one(data: bytes) -> None:
        nonlocal count
        count += 1
        error = failure(target, data)
        if error is not None:
            code = fail(target, data, error)
            os._exit(code)
        if time.monotonic() >= until:
            sys.stdout.write(f"{count}\n")
            sys.stdout.flush()
            os._exit(0)

    left = CRASHES / name
    left.mkdir(parents=True, exist_ok=True)
    options = [
        "-verbosity=0",
        f"-seed={seed + 1}",
        f"-max_len={target.longest}",
        f"-timeout={LONGEST_INPUT_SECONDS}",
        f"-artifact_prefix={left}/",
        str(work),
        *sorted({str(path.parent) for path in target.corpus()}),
    ]
    atheris.Setup([sys.argv[0], *options], one, custom_mutator=_structured(target, atheris))
    atheris.Fuzz()
    return 0


def _structured(target: Target, atheris: Any) -> Callable[[bytes, int, int], bytes]:
    """libFuzzer's mutation, and the target's own in half of the cases."""

    def change(data: bytes, longest: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if target.mutate is not None and rng.random() < 0.5:
            return target.mutate(data, rng)[:longest]
        changed: bytes = atheris.Mutate(data, longest)
        return changed

    return change


RUN = {"atheris": run_atheris, "plain": run_plain}
