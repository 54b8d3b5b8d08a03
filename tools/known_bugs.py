"""Proves that every past bug of the election would be caught again.

tools/known_bugs.py [NAME...] [--folder FOLDER] [--search [--kinds KIND,...]]

Each patch in tests/known_bugs re-introduces one bug. It is applied to a copy of src/, and the simulator, or
the test or scenario that the patch names, must find it there; then the code as it is must pass the very same.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vipkeeper.core.facts import FaultKind
from vipkeeper.core.types import SECOND
from vipkeeper.sim.faults import draw

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "known_bugs"
PLAYER = ROOT / "tools" / "known_bugs_seeds.py"
SCENARIOS = "tests/scenarios/test_scenarios.py::test_scenario[{}]"
INVARIANTS = {
    "S1", "S2", "S3", "S4", "S5", "S6", "L1", "L2", "L3", "F1", "F2", "F3", "H1", "P1", "P2", "A1", "C1",
}  # fmt: skip
FAULT_PHASE = 72
"""Seconds of faults a seed gets: `vipkeeper simulate --seed N --hours 0.02`."""
MOST_SEEDS = 200
WITHIN = 20.0
"""Seconds in which a bug must be found."""
PASS_WITHIN = 120.0
TEST_WITHIN = 60.0
SEARCH_WITHIN = 300.0
SEARCH_SEEDS = 20_000
SEARCH_MOST = 2_000
JOBS = 2


class GateError(Exception):
    """The bug is not caught, or cannot be judged; one line that says why."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One patch and what its header says."""

    name: str
    patch: Path
    title: str
    caught_by: str
    """Id of an invariant, or `test NODE` or `scenario NAME`."""
    seeds: tuple[int, ...]
    """Seeds that showed it soon when they were recorded."""

    @property
    def node(self) -> str | None:
        """The test that catches it; None: the simulator does."""
        how, _, what = self.caught_by.partition(" ")
        return {"test": what, "scenario": SCENARIOS.format(what)}.get(how) if what else None


@dataclass(slots=True)
class Outcome:
    """One line of the table."""

    bug: Bug
    seed: int | None = None
    seconds: float = 0.0
    played: list[int] = field(default_factory=list)
    """Seeds that were played to find it."""
    problem: str = ""


def read(patch: Path) -> Bug:
    """Header lines `Key: value`, continued by indented ones, up to the diff."""
    fields: dict[str, str] = {}
    key = ""
    for text in patch.read_text(encoding="utf-8").splitlines():
        if text.startswith(("diff ", "--- ")):
            break
        if text.startswith(" ") and key:
            fields[key] += " " + text.strip()
        elif ":" in text:
            key, _, value = text.partition(":")
            fields[key] = value.strip()
    missing = [name for name in ("Bug", "Seen", "Caught by") if not fields.get(name)]
    if missing:
        raise GateError(f"its header has no {', '.join(missing)}")
    seeds = fields.get("Seeds", "").split()
    if not all(seed.isdecimal() for seed in seeds):
        raise GateError(f"its seeds are no numbers: {fields['Seeds']}")
    bug = Bug(patch.stem, patch, fields["Bug"], fields["Caught by"], tuple(map(int, seeds)))
    if bug.node is None and bug.caught_by not in INVARIANTS:
        raise GateError(f"'{bug.caught_by}' is no invariant, test or scenario")
    return bug


def mutate(bug: Bug, folder: Path) -> None:
    """Copy src/ into this folder and apply the patch to the copy."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    # A repository around the folder would make git skip what is not in it.
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    done = subprocess.run(
        ["git", "apply", "--include=src/*", str(bug.patch)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["git apply failed"])[0]
        raise GateError(f"the patch no longer applies: {why.removeprefix('error: ')}")
    if _same(folder / "src", ROOT / "src"):
        raise GateError("the patch changes nothing in src/")


def _same(one: Path, other: Path) -> bool:
    files = sorted(path.relative_to(one) for path in one.rglob("*.py"))
    return all(
        (other / f).is_file() and (one / f).read_bytes() == (other / f).read_bytes() for f in files
    )


def _environment(source: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}


def play(
    source: Path, invariant: str | None, seeds: list[int], within: float
) -> Iterator[dict[str, Any]]:
    """Play seeds on both cores with the package in this folder; what each broke, as it is known."""
    deadline = time.monotonic() + within
    players = [
        subprocess.Popen(
            [sys.executable, "-P", str(PLAYER), str(source), str(FAULT_PHASE), invariant or "-"]
            + [str(seed) for seed in seeds[job::JOBS]],
            env=_environment(source),
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        for job in range(min(JOBS, len(seeds)))
    ]
    try:
        with selectors.DefaultSelector() as selector:
            for player in players:
                assert player.stdout is not None
                selector.register(player.stdout, selectors.EVENT_READ, player)
            while selector.get_map() and (left := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    yield from _line(selector, key)
    finally:
        for player in players:
            player.kill()
            player.communicate()


def _line(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> Iterator[dict[str, Any]]:
    """One line of a player; at its end see that it ended well."""
    text = key.fileobj.readline()  # type: ignore[union-attr]
    if text:
        yield json.loads(text)
        return
    selector.unregister(key.fileobj)
    code = key.data.wait()
    if code != 0:
        raise GateError(f"the simulator ended with code {code}")


def simulated(bug: Bug, source: Path) -> Outcome:
    """The simulator must find it soon."""
    outcome = Outcome(bug)
    others = (seed for seed in range(MOST_SEEDS) if seed not in bug.seeds)
    seeds = [*bug.seeds, *others][:MOST_SEEDS]
    begun = time.monotonic()
    for result in play(source, bug.caught_by, seeds, WITHIN):
        outcome.played.append(result["seed"])
        if bug.caught_by in result["broken"]:
            outcome.seed = result["seed"]
            break
    outcome.seconds = time.monotonic() - begun
    if outcome.seed is None:
        tried = f"{len(outcome.played)} seeds in {outcome.seconds:.0f} s"
        outcome.problem = f"NOT CAUGHT by {bug.caught_by}: {tried}; --search finds other seeds"
    return outcome


def tested(bug: Bug, source: Path) -> Outcome:
    """The test that the patch names must fail with the bug and pass without."""
    outcome = Outcome(bug)
    begun = time.monotonic()
    code = _pytest(bug, source)
    outcome.seconds = time.monotonic() - begun
    if code == 0:
        outcome.problem = "NOT CAUGHT: the test passes with the bug"
    elif code != 1:
        outcome.problem = f"the test cannot be run (pytest ended with code {code})"
    elif _pytest(bug, ROOT / "src") != 0:
        outcome.problem = "the test does not pass without the bug"
    return outcome


def _pytest(bug: Bug, source: Path) -> int:
    assert bug.node is not None
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", bug.node]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=_environment(source),
            capture_output=True,
            check=False,
            timeout=TEST_WITHIN,
        )
    except subprocess.TimeoutExpired:
        raise GateError(f"the test takes longer than {TEST_WITHIN:.0f} s") from None
    return done.returncode


def judge(bug: Bug) -> Outcome:
    """Apply and look for it."""
    with tempfile.TemporaryDirectory(prefix="vipkeeper-known-bugs-") as folder:
        mutate(bug, Path(folder))
        source = Path(folder) / "src"
        return tested(bug, source) if bug.node is not None else simulated(bug, source)


def unmutated(outcomes: list[Outcome]) -> None:
    """The code as it is passes every seed that was played."""
    seeds = sorted({seed for outcome in outcomes for seed in outcome.played})
    broken: dict[int, str] = {}
    passed = set()
    for result in play(ROOT / "src", None, seeds, PASS_WITHIN):
        passed.add(result["seed"])
        if result["broken"]:
            name, text = next(iter(result["broken"].items()))
            broken[result["seed"]] = f"{name}: {text}"
    for outcome in outcomes:
        for seed in outcome.played:
            if seed in broken:
                outcome.problem = f"seed {seed} fails without the bug: {broken[seed]}"
            elif seed not in passed:
                outcome.problem = f"seed {seed} is not done after {PASS_WITHIN:.0f} s"


def search(bug: Bug, kinds: list[str]) -> None:
    """For a maintainer: seeds that show this bug soon, the quickest first."""
    found: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory(prefix="vipkeeper-known-bugs-") as folder:
        mutate(bug, Path(folder))
        for result in play(Path(folder) / "src", bug.caught_by, _rich_in(kinds), SEARCH_WITHIN):
            if bug.caught_by in result["broken"]:
                found.append((result["seconds"], result["seed"]))
                sys.stdout.write(f"{bug.name}: seed {result['seed']} ({result['seconds']:.1f} s)\n")
                sys.stdout.flush()
    best = " ".join(str(seed) for _, seed in sorted(found)[:4])
    sys.stdout.write(f"{bug.name}: Seeds: {best or 'none found'}\n")


def _rich_in(kinds: list[str]) -> list[int]:
    """Seeds with faults of all these kinds and few others first; without kinds as they come."""
    shares = []
    for seed in range(SEARCH_SEEDS if kinds else SEARCH_SEEDS // 10):
        faults = [fault.kind.name for fault in draw(seed, FAULT_PHASE * SECOND).faults]
        fewest = min((faults.count(kind) for kind in kinds), default=1)
        if fewest:
            shares.append((fewest / (20 + len(faults)) if kinds else 0.0, seed))
    return [seed for _, seed in sorted(shares, key=lambda share: -share[0])][:SEARCH_MOST]


def table(outcomes: list[Outcome]) -> str:
    """Bug, what caught it, seed, seconds."""
    rows = [("bug", "caught by", "seed", "seconds", "")]
    for outcome in outcomes:
        seed = str(outcome.seed) if outcome.seed is not None else "-"
        by = outcome.bug.caught_by.split("::")[-1].removeprefix("test ")
        rows.append((outcome.bug.name, by, seed, f"{outcome.seconds:.1f}", outcome.problem))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, [*widths, 0], strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def main(arguments: list[str]) -> int:
    """Judge all patches, or those named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", metavar="NAME", help="patches (default: all)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the patches are")
    parser.add_argument("--search", action="store_true", help="find seeds that show the bugs")
    parser.add_argument(
        "--kinds", default="", help="kinds of faults that the seeds searched have, as KILL,STALL"
    )
    args = parser.parse_args(arguments)
    wrong = set(filter(None, args.kinds.split(","))) - set(FaultKind.__members__)
    if wrong:
        sys.stderr.write(f"no such kind of fault: {', '.join(sorted(wrong))}\n")
        return 2
    patches = sorted(args.folder.glob("*.patch"))
    unknown = set(args.names) - {patch.stem for patch in patches}
    if unknown or not patches:
        sys.stderr.write(f"no such patch in {args.folder}: {', '.join(sorted(unknown)) or 'any'}\n")
        return 2
    outcomes = []
    for patch in patches:
        if args.names and patch.stem not in args.names:
            continue
        try:
            bug = read(patch)
            if args.search:
                if bug.node is None:
                    search(bug, [kind for kind in args.kinds.split(",") if kind])
                continue
            outcomes.append(judge(bug))
        except GateError as error:
            bug = Bug(patch.stem, patch, "", "-", ())
            outcomes.append(Outcome(bug, problem=str(error)))
        sys.stderr.write(f"{patch.stem}: {outcomes[-1].problem or 'caught'}\n")
    unmutated(outcomes)
    failed = [outcome for outcome in outcomes if outcome.problem]
    if outcomes:
        by_simulation = sum(outcome.seed is not None for outcome in outcomes)
        sys.stdout.write(f"{table(outcomes)}\n")
        sys.stdout.write(
            f"{len(outcomes)} known bugs, {len(failed)} FAILED\n"
            if failed
            else f"{len(outcomes)} known bugs caught, {by_simulation} of them by simulation\n"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
