"""How long `vipkeeper lint` takes and how much memory, for one server and for trees of many."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import lint_tree, results, started
from bench.figures import summary
from bench.targets import Finding, shown

from vipkeeper.errors import ExitCode

LINT = (sys.executable, "-m", "vipkeeper", "lint")
JUDGED = (ExitCode.OK, ExitCode.FINDINGS)
"""How it ends when it has read everything."""
PATIENCE = 600.0
"""Seconds after which it counts as hung."""
ONE_RUNS = 20
TREES = ((250, 3), (500, 3), (1000, 5), (2000, 3))
"""Servers of each tree, and runs."""
LARGE = 1000
MAX_TREE_MS = 5000.0
MAX_ONE_MS = 300.0
MAX_GROWTH = 2.2
"""Memory of 2,000 servers beyond a single one's, over that of 1,000: 2 is linear."""


def measure(scale: float) -> dict[str, Any]:
    """Whole processes, start-up with them; every run.

    Byte code lies in a folder of its own that a first run, which does not count, fills: as it is after an
    installation.
    """
    trees = []
    with tempfile.TemporaryDirectory(prefix="vipkeeper-bench-lint-") as folder:
        top = Path(folder)
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(top / "byte-code")
        for servers, runs in ((1, ONE_RUNS), *TREES):
            tree = top / str(servers)
            lint_tree.write(tree, servers)
            said = _found(tree, servers * lint_tree.FILES, top / "found.json", environment)
            amount = max(1, round(runs * min(1.0, scale)))
            made = [_once(tree, environment) | {"found": said} for _ in range(amount)]
            trees.append({"servers": servers, "files": servers * lint_tree.FILES, "runs": made})
    return {"conditions": results.conditions(), "byte_code": "compiled before", "trees": trees}


def _found(tree: Path, files: int, record: Path, environment: Mapping[str, str]) -> str:
    """What lint finds there, in a run that does not count and fills the byte code.

    Raises:
        ProgramError: lint fails.
        ResultsError: it does not read all these files.
    """
    words = ("--output", "text", "--output", f"json={record}")
    started.finish([*LINT, str(tree), *words], timeout=PATIENCE, accepted=JUDGED, env=environment)
    outcome = json.loads(results.read(record) or "{}")
    if len(outcome.get("files", ())) != files:
        raise results.ResultsError(f"lint read {len(outcome.get('files', ()))} of {files} files")
    counted = [
        f"{count} {name}{'s' if count != 1 and name != 'info' else ''}"
        for name, count in outcome["counts"].items()
        if count
    ]
    return f"{', '.join(counted) or 'no findings'} in {files} file{'s' if files != 1 else ''}"


def _once(tree: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """One process: wall clock and processor time in milliseconds, largest RSS in KiB."""
    wall, usage = started.timed(
        [*LINT, str(tree)], timeout=PATIENCE, accepted=JUDGED, env=environment
    )
    return {
        "wall_ms": round(wall * 1000, 3),
        "cpu_ms": round((usage.ru_utime + usage.ru_stime) * 1000, 3),
        "rss_kib": usage.ru_maxrss,
        "load": round(os.getloadavg()[0], 2),
    }


def findings(found: dict[str, Any] | None) -> list[tuple[str, Finding]]:
    """Of issue 4: one server, 1,000 servers, memory."""
    texts = (
        "one server's files, start-up with it: at most 300 ms",
        "1,000 servers (5,000 files): at most 5 s",
        "memory linear in the number of servers",
    )
    by_size = {tree["servers"]: tree["runs"] for tree in found["trees"]} if found else {}
    if not {1, LARGE, 2 * LARGE} <= by_size.keys():
        return [(text, Finding("not measured", "no run")) for text in texts]
    one = summary(run["wall_ms"] for run in by_size[1])
    many = summary(run["wall_ms"] for run in by_size[LARGE])
    grown = {n: max(r["rss_kib"] for r in runs) for n, runs in by_size.items()}
    first, both = (grown[size] - grown[1] for size in (LARGE, 2 * LARGE))
    words = f"{both / first:.3f} times as much for twice as many" if first else f"{both} KiB more"
    judged = (
        (one["max"] <= MAX_ONE_MS, f"max {shown(one['max'])} ms of {one['n']} runs"),
        (many["max"] <= MAX_TREE_MS, f"max {shown(many['max'])} ms of {many['n']} runs"),
        (both <= MAX_GROWTH * first, words),
    )
    return [
        (text, Finding("met" if met else "missed", said))
        for text, (met, said) in zip(texts, judged, strict=True)
    ]


def line(found: dict[str, Any]) -> str:
    """One line on stdout."""
    return "; ".join(f"{text}: {f.verdict} ({f.found})" for text, f in findings(found))


def section(found: dict[str, Any] | None) -> str:
    """The part of the page."""
    if not found:
        return "## lint\n\nTime and memory of `vipkeeper lint`: not measured.\n"
    condition = found["conditions"]
    text = f"## lint\n\n`vipkeeper lint FOLDER`, whole processes with start-up, byte code {found['byte_code']}; "
    text += f"commit {condition['commit']}, Python {condition['python']}, {condition['cores']} cores, load "
    loads = [run["load"] for tree in found["trees"] for run in tree["runs"]]
    text += f"{min(loads)} to {max(loads)}. Wall clock and processor time are milliseconds.\n\n"
    head = "| servers | files | n | wall min | wall p50 | wall max | processor p50 | RSS max, KiB | found |\n"
    text += head + "|" + " --- |" * 9 + "\n"
    for tree in found["trees"]:
        wall, cpu = (summary(r[key] for r in tree["runs"]) for key in ("wall_ms", "cpu_ms"))
        cells = [str(tree["servers"]), str(tree["files"]), str(wall["n"])]
        cells += [shown(wall[key]) for key in ("min", "p50", "max")]
        cells += [shown(cpu["p50"]), str(max(run["rss_kib"] for run in tree["runs"]))]
        text += f"| {' | '.join([*cells, tree['runs'][0]['found']])} |\n"
    return text
