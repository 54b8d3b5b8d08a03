"""Checks the model of the election with Spin: `./dev model [--trace] [ROW or PROPERTY...]`.

Properties must hold over every state that the stated faults can reach; each mutant, which lacks one
rule, must violate the property named beside it, or the property would prove nothing. README.md says
what is modelled. Exit code 0: as expected; 1: not so; 2: Spin or a compiler is missing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from model.runs import RUNS, Run

MODEL = Path(__file__).resolve().parent / "election.pml"
NEEDED = {"spin": "spin", "gcc": "gcc"}
COMPILE = ("gcc", "-w", "-DSAFETY", "-DNOREDUCE", "-DVECTORSZ=2048", "-o", "pan", "pan.c")
DEPTH = 20_000
"""Far deeper than any run of the model; a search that reaches it counts as truncated."""
TIMEOUT = 120
TRUNCATED = ("max search depth too small", "out of memory", "hash array", "interrupted")


@dataclass(frozen=True, slots=True)
class Found:
    """What one search said."""

    states: int = 0
    depth: int = 0
    seconds: float = 0.0
    violated: bool = False
    complete: bool = False
    """True when every reachable state was looked at."""
    problem: str = ""
    trace: str = ""

    def as_expected(self, run: Run) -> bool:
        """A property holds only over a complete search; a mutant counts only by a violation."""
        if self.problem:
            return False
        return self.complete and not self.violated if run.holds else self.violated

    def verdict(self) -> str:
        """In one word."""
        if self.problem:
            return self.problem
        if self.violated:
            return "violated"
        return "holds" if self.complete else "truncated"


def read_output(text: str) -> Found:
    """Take apart what the generated checker prints. What it does not say counts as a problem."""
    states = re.search(r"([\d.e+]+) states, stored", text)
    errors = re.search(r"depth reached (\d+), errors: (\d+)", text)
    if states is None or errors is None:
        last = text.strip().splitlines()[-1:] or ["no output"]
        return Found(problem=f"no result: {last[0][:60]}")
    violated = "assertion violated" in text
    if not violated and errors[2] != "0":
        return Found(problem="an error that is no violation")
    complete = not violated and not any(word in text for word in TRUNCATED)
    complete = complete and "Search not completed" not in text
    return Found(int(float(states[1])), int(errors[1]), violated=violated, complete=complete)


def search(run: Run, *, trace: bool) -> Found:
    """Generate, compile and run the checker of one row, in a folder of its own."""
    began = time.monotonic()
    options = (*run.options, "-DTRACE") if trace else run.options
    with tempfile.TemporaryDirectory(prefix="vipkeeper-model-") as folder:
        shutil.copy(MODEL, folder)
        steps = (
            ("spin", "-a", *options, MODEL.name),
            (*COMPILE, "-O1" if run.holds else "-O0"),
            ("./pan", f"-m{DEPTH}", "-w22"),
        )
        text = ""
        for command in steps:
            try:
                text = _output(command, folder)
            except subprocess.TimeoutExpired:
                return Found(problem=f"{command[0]} took more than {TIMEOUT} s")
            except subprocess.CalledProcessError as error:
                lines = [line for line in str(error.stdout).splitlines() if "rror" in line]
                return Found(problem=f"{command[0]} failed: {(lines or ['?'])[0][:80]}")
        found = read_output(text)
        steps_to_error = ""
        if trace and found.violated:
            lines = _output(("spin", "-t", *options, MODEL.name), folder, check=False).splitlines()
            steps_to_error = "\n".join(
                x.strip() for x in lines if re.match(r"\s*(tick|server)\b", x)
            )
    seconds = time.monotonic() - began
    return Found(
        found.states,
        found.depth,
        seconds,
        found.violated,
        found.complete,
        found.problem,
        steps_to_error,
    )


def _output(command: tuple[str, ...], folder: str, *, check: bool = True) -> str:
    return subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=check,
    ).stdout


def line(run: Run, found: Found) -> str:
    """One row of the table."""
    mark = "ok  " if found.as_expected(run) else "FAIL"
    figures = f"{found.states:>9,} {found.depth:>6} {found.seconds:>6.1f}"
    return f"{mark} {run.servers} {run.label:<8} {run.name:<31} {figures}  {found.verdict()}"


def chosen(words: list[str]) -> list[Run]:
    """The rows whose name or property contains one of the words; all without words."""
    return [r for r in RUNS if not words or any(w in (r.name, r.label) for w in words)]


def main(arguments: list[str]) -> int:
    """Run the rows on all cores and print the table in the order of runs.py."""
    missing = [package for program, package in NEEDED.items() if not shutil.which(program)]
    if missing:
        say(f"missing: {' '.join(missing)}; install as root: apt-get install spin gcc libc6-dev")
        return 2
    trace = "--trace" in arguments
    runs = chosen([word for word in arguments if word != "--trace"])
    if not runs:
        say("no such row; rows are named in model/runs.py")
        return 2
    began = time.monotonic()
    failed = 0
    sys.stdout.write(
        f"     N {'property':<8} {'row':<31} {'states':>9} {'depth':>6} {'s':>6}  verdict\n"
    )
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for run, found in zip(runs, pool.map(lambda r: search(r, trace=trace), runs), strict=True):
            sys.stdout.write(line(run, found) + "\n" + (found.trace + "\n" if found.trace else ""))
            sys.stdout.flush()
            failed += not found.as_expected(run)
    holding = sum(run.holds for run in runs)
    took = time.monotonic() - began
    sys.stdout.write(
        f"{holding} searches must hold, {len(runs) - holding} must find a violation; "
        f"{failed} not as expected; {took:.0f} s\n"
    )
    return 1 if failed else 0


def say(message: str) -> None:
    """Errors go to stderr."""
    sys.stderr.write(f"model: {message}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
