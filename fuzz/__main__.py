"""./dev fuzz [TARGET...] [--seconds N]: every target for its share of the time, on all cores.

    ./dev fuzz                               all targets, 60 seconds in all
    ./dev fuzz core --seconds 600            one target
    ./dev fuzz advert --replay FILE          feed one file once
    ./dev fuzz --engine plain --seed 7       without atheris

Exit code 1 when anything was found; the input is then in fuzz/crashes/TARGET/.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock

from fuzz.engine import CRASHES, LONGEST_INPUT_SECONDS, ROOT, RUN, engines, replay, report
from fuzz.scratch import SCRATCH, memory
from fuzz.target import WEIGHTS, load

GRACE = LONGEST_INPUT_SECONDS + 10
"""Seconds that a target may take beyond its share before it is ended."""
_CHATTER = ("INFO: ", "WARNING: Failed to find function")
"""What atheris says at every start."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is to do."""

    engine: str
    seed: int
    begin: float
    """time.monotonic when it began."""
    seconds: float
    workers: int


def shares(names: Sequence[str], workers: int) -> list[list[tuple[str, float, float]]]:
    """For each worker its targets with begin and end as parts of the time.

    The whole of targets and weights is laid on the workers one after the other; a target that does not
    fit goes on at the next worker, with another seed.
    """
    total = sum(WEIGHTS[name] for name in names)
    lanes: list[list[tuple[str, float, float]]] = [[] for _ in range(workers)]
    at = 0.0
    for name in sorted(names, key=lambda n: WEIGHTS[n], reverse=True):
        left = WEIGHTS[name] / total * workers
        while left > 1e-9 and at < workers - 1e-9:
            lane = int(at + 1e-9)
            begin = max(0.0, at - lane)
            part = min(left, 1.0 - begin)
            lanes[lane].append((name, begin, begin + part))
            at += part
            left -= part
    return lanes


class Runner:
    """Runs the targets, each in a process of its own, until the time is over or something was found."""

    def __init__(self, plan: Plan, work: Path) -> None:
        self._plan = plan
        self._work = work
        self._stop = Event()
        self._lock = Lock()
        self._children: set[subprocess.Popen[str]] = set()
        self.counts: dict[str, int] = {}
        self.found: list[str] = []

    def run(self, names: Sequence[str]) -> None:
        """All targets; returns when all have ended."""
        lanes = shares(names, self._plan.workers)
        with ThreadPoolExecutor(len(lanes)) as pool:
            jobs = [pool.submit(self._lane, number, lane) for number, lane in enumerate(lanes)]
            try:
                for job in jobs:
                    job.result()
            finally:
                self.stop()

    def stop(self) -> None:
        """End what runs."""
        self._stop.set()
        with self._lock:
            for child in self._children:
                child.kill()

    def _lane(self, number: int, lane: Sequence[tuple[str, float, float]]) -> None:
        for name, _, end in lane:
            if self._stop.is_set():
                return
            until = self._plan.begin + end * self._plan.seconds
            code = self._one(name, until, self._plan.seed * self._plan.workers + number)
            if code != 0 and not self._stop.is_set():
                self.found.append(name)

    def _one(self, name: str, until: float, seed: int) -> int:
        work = self._work / f"{name}-{seed}"
        for folder in ("found", "scratch"):
            (work / folder).mkdir(parents=True)
        before = artifacts(name)
        job = [self._plan.engine, str(until), str(seed), str(work / "found")]
        command = [sys.executable, "-m", "fuzz", name, "--job", *job]
        with self._lock:
            if self._stop.is_set():
                return 0
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | {SCRATCH: str(work / "scratch")},
            )
            self._children.add(child)
        try:
            out, err = child.communicate(timeout=max(0.0, until - time.monotonic()) + GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            err += f"fuzz: {name}: did not end in time\n"
        finally:
            with self._lock:
                self._children.discard(child)
        with self._lock:
            if child.returncode != 0 and not self._stop.is_set():
                lines = [line for line in err.splitlines(True) if not line.startswith(_CHATTER)]
                lines += [told(name, path) for path in sorted(artifacts(name) - before)]
                sys.stderr.write("".join(lines))
            elif out.strip().isdigit():
                self.counts[name] = self.counts.get(name, 0) + int(out)
        return child.returncode


def artifacts(name: str) -> set[Path]:
    """What libFuzzer itself has kept: an input that hung or ended the interpreter."""
    kinds = ("timeout-*", "crash-*", "oom-*")
    return {path for kind in kinds for path in (CRASHES / name).glob(kind)}


def told(name: str, path: Path) -> str:
    """The report of such an input."""
    command = f"./dev fuzz {name} --replay {path.relative_to(ROOT)}"
    return f"fuzz: {name}: {path.name.partition('-')[0]}; replay with: {command}\n"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="./dev fuzz",
        description="Feeds bad input to everything that reads foreign bytes, and to the core.",
        epilog="targets: " + ", ".join(WEIGHTS),
    )
    made.add_argument("targets", nargs="*", metavar="TARGET", help="default: all of them")
    made.add_argument("--seconds", type=float, default=60.0, help="for all together (default: 60)")
    made.add_argument("--engine", choices=(*RUN, "auto"), default="auto")
    made.add_argument("--seed", type=int, default=None, help="default: another one each time")
    made.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="default: all cores")
    made.add_argument("--replay", type=Path, metavar="FILE", help="feed a file to one target, once")
    made.add_argument("--job", nargs=4, help=argparse.SUPPRESS)
    return made


def replayed(name: str, path: Path) -> int:
    """Feed one file and say what came of it."""
    target = load(name)
    if target.explain is not None:
        sys.stdout.write("".join(f"{line}\n" for line in target.explain(path.read_bytes())))
    error = replay(target, path)
    if error is None:
        sys.stdout.write(f"fuzz: {name}: nothing found in {path}\n")
        return 0
    sys.stderr.write(report(target, path.resolve(), error))
    return 1


def fuzz(names: Sequence[str], plan: Plan) -> int:
    """Run, and sum up what was tried."""
    with tempfile.TemporaryDirectory(prefix="vipkeeper-fuzz-", dir=memory()) as work:
        runner = Runner(plan, Path(work))
        runner.run(names)
    for name in names:
        tried = runner.counts.get(name, 0)
        sys.stdout.write(
            f"fuzz: {name}: {'FOUND' if name in runner.found else f'{tried} inputs'}\n"
        )
        if not (CRASHES / name).is_dir():
            continue
        with suppress(OSError):
            (CRASHES / name).rmdir()
    total = sum(runner.counts.values())
    sys.stdout.write(
        f"fuzz: engine {plan.engine}, seed {plan.seed}, {total} inputs in "
        f"{time.monotonic() - plan.begin:.0f} s: "
        f"{'FOUND in ' + ', '.join(sorted(set(runner.found))) if runner.found else 'nothing found'}\n"
    )
    return 1 if runner.found else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    line = parser()
    args = line.parse_args(arguments)
    unknown = [name for name in args.targets if name not in WEIGHTS]
    if unknown:
        line.error(f"unknown target '{unknown[0]}'; there are {', '.join(WEIGHTS)}")
    if args.job is not None:
        engine, until, seed, work = args.job
        return RUN[engine](args.targets[0], float(until), int(seed), Path(work))
    if args.replay is not None:
        if len(args.targets) != 1:
            line.error("--replay needs one target")
        return replayed(args.targets[0], args.replay)
    there = engines()
    if args.engine not in ("auto", *there):
        line.error("atheris is not installed here; use --engine plain")
    engine = there[0] if args.engine == "auto" else args.engine
    seed = args.seed if args.seed is not None else int.from_bytes(os.urandom(3), "big")
    names = list(dict.fromkeys(args.targets)) or list(WEIGHTS)
    return fuzz(names, Plan(engine, seed, time.monotonic(), args.seconds, max(1, args.workers)))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
