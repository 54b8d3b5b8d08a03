"""`vipkeeper simulate` with wire, core and simulator compiled by mypyc: the same sources, the same traces.

tools/compiled.py [ARGUMENTS OF simulate]

What is compiled is a copy of src/vipkeeper in .venv, made anew when a source changed. Before it is used it
must play some seeds to the very traces that the sources play when they are interpreted.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
STORE = ROOT / ".venv" / "compiled"
"""In the environment, so that it goes with it."""
COMPILER = ROOT / "tools" / "compile_sources.py"
PLAYER = ROOT / "tools" / "compiled_seeds.py"
FOLDERS = ("vipkeeper/wire", "vipkeeper/core", "vipkeeper/sim")
INTERPRETED = dict.fromkeys(
    ("vipkeeper/sim/run.py", "vipkeeper/core/invariants/violation.py"),
    "what it makes is pickled for another process, which a compiled frozen class cannot be",
)
"""Modules of these folders that are left as they are, and why each is."""
LEVEL = "1"
"""Of gcc's -O."""
PROOF_SECONDS = 8
PROOF_SEEDS = (1, 5, 8)
"""What a fresh build must play as the sources do."""
TIMEOUT = 900.0


class What(enum.Enum):
    """What is asked of a seed."""

    TRACE = "trace"
    ENCODED = "encoded"
    """The trace with adverts as bytes, for the codecs."""
    SPEED = "speed"


class CompileError(Exception):
    """There is no compiled simulator; says why."""


@dataclass(frozen=True, slots=True)
class Way:
    """A copy of the package, and whether what decides in it is compiled."""

    name: str
    folder: Path

    def environment(self) -> dict[str, str]:
        """The environment in which Python takes the package from there."""
        return os.environ | {"PYTHONPATH": str(self.folder)}


AS_IT_IS = Way("interpreted", SOURCE)


def modules(source: Path = SOURCE) -> list[str]:
    """What is compiled, relative to `source`. Packages' own files hold nothing but their docstring."""
    found = [path for folder in FOLDERS for path in (source / folder).rglob("*.py")]
    names = [path.relative_to(source).as_posix() for path in found if path.name != "__init__.py"]
    return sorted(set(names) - set(INTERPRETED))


def key(source: Path = SOURCE) -> str:
    """A digest of all that the build depends on: sources, this tool, mypy, Python."""
    parts = [sys.version, importlib.metadata.version("mypy"), LEVEL, *modules(source)]
    digest = hashlib.sha256("\n".join(parts).encode())
    files = [(path.relative_to(source), path) for path in (source / "vipkeeper").rglob("*.py")]
    files += [(path.relative_to(ROOT), path) for path in (Path(__file__), COMPILER, PLAYER)]
    for name, path in sorted(files):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()[:20]


def build(*, anew: bool = False) -> Way:
    """The compiled package: the one that is there, or a new one that has passed its proof.

    `anew` makes one in any case, to measure how long it takes.

    Raises:
        CompileError: it cannot be compiled, or does not play as the sources do.
    """
    way = Way("compiled", STORE / key())
    if way.folder.exists() and not anew:
        return way
    _say(f"compiling {len(modules())} modules (once, a minute or two)")
    STORE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=STORE, prefix="part-") as part:
        fresh = Way(way.name, Path(part) / "package")
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(SOURCE / "vipkeeper", fresh.folder / "vipkeeper", ignore=ignored)
        _run([sys.executable, "-P", str(COMPILER), LEVEL, *modules()], cwd=fresh.folder)
        shutil.rmtree(fresh.folder / "build")
        prove(fresh, PROOF_SEEDS, PROOF_SECONDS)
        for old in STORE.iterdir():
            if old != Path(part):
                shutil.rmtree(old, ignore_errors=True)
        fresh.folder.rename(way.folder)
    return way


def prove(way: Way, seeds: Sequence[int], seconds: int | None = None) -> None:
    """See that a package plays as the sources do, with adverts as values and as bytes.

    Raises:
        CompileError: a seed's trace or outcome is another.
    """
    for what in (What.TRACE, What.ENCODED):
        wanted, found = (play(each, seeds, what, seconds) for each in (AS_IT_IS, way))
        if differing := ", ".join(map(str, differences(wanted, found))):
            raise CompileError(f"compiled, the simulator plays other traces: seed {differing}")
    _say(f"{len(seeds)} seeds have the same traces interpreted and compiled")


def differences(one: Sequence[dict[str, Any]], other: Sequence[dict[str, Any]]) -> list[int]:
    """The seeds whose trace or outcome differs, or which only one side has."""
    sides = [{run["seed"]: (run["trace"], run["outcome"]) for run in runs} for runs in (one, other)]
    return sorted(
        seed for seed in sides[0].keys() | sides[1] if sides[0].get(seed) != sides[1].get(seed)
    )


def play(
    way: Way, seeds: Sequence[int], what: What, seconds: int | None = None
) -> list[dict[str, Any]]:
    """Play seeds one after another in a process of their own; see `compiled_seeds` for what comes back.

    Raises:
        CompileError: they cannot be played this way.
    """
    command = [sys.executable, "-P", str(PLAYER), str(way.folder), way.name]
    command += [str(seconds or 0), what.value, *map(str, seeds)]
    return [json.loads(text) for text in _run(command, environment=way.environment()).splitlines()]


def versions() -> dict[str, Any]:
    """What a build is made with, for a record of a measurement."""
    said = _run(["gcc", "-dumpfullversion"]).strip()
    return {
        "mypy": importlib.metadata.version("mypy"),
        "cc": f"gcc {said}",
        "level": LEVEL,
        "modules": len(modules()),
    }


def _run(
    command: Sequence[str], *, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> str:
    """What it writes; its last lines are in the error when it fails."""
    # A signal that comes while it is being started waits until there is somebody to end; it needs none of its own.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    unblock = functools.partial(signal.pthread_sigmask, signal.SIG_SETMASK, mask)
    try:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, process_group=0,
        )  # fmt: skip
    except BaseException:
        unblock()
        raise
    with process:
        try:
            unblock()
            said, _ = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            what = f"{Path(command[2]).name} takes longer than {TIMEOUT:.0f} s"
            raise CompileError(what) from None
        finally:
            # Its compilers too, which would go on without it.
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        tail = said.strip().splitlines()[-8:]
        raise CompileError("\n  ".join([f"{Path(command[2]).name} failed:", *tail]))
    return said


def _say(text: str) -> None:
    sys.stderr.write(f"compiled: {text}\n")
    sys.stderr.flush()


def _become(way: Way, arguments: Sequence[str]) -> int:
    """Turn into `vipkeeper simulate` of this package: signals, output and exit code are its own."""
    os.environ.update(way.environment())
    os.execv(sys.executable, [sys.executable, "-P", "-m", "vipkeeper", "simulate", *arguments])


def main(arguments: list[str]) -> int:
    """Play; what cannot be compiled is a line on stderr and exit code 2."""
    try:
        return _become(build(), arguments)
    except CompileError as error:
        _say(str(error))
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
