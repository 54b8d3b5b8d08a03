"""Plays cells block by block, the managers in turn, and writes every run at once."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench import results, started
from bench.cells import Cell
from bench.contenders import CONTENDERS
from bench.figures import run_of, runs, summary

BLOCKS_MAY_FAIL = 3
"""Blocks without a single run, of a cell and manager, after which it is left out."""
SHORTEST = 5.0
"""Seconds of the shortest run worth playing."""
_SETTLING, _RUN = 120.0, 60.0
"""Seconds a block may take besides its runs' own lengths: to build, and for each run to heal and play."""


def play(
    cells: Sequence[Cell], scale: float, path: Path, managers: Sequence[str], *, mix: bool
) -> dict[str, Any]:
    """Everything that is still missing in the file; all results.

    Raises:
        ResultsError: the file holds runs of another commit and `mix` is not set, or is damaged.
    """
    found = results.load(path)
    results.same_commit(found, path, mix=mix)
    for cell, manager, size in _missing(cells, scale, found, managers):
        block = block_of(cell, manager, size)
        results.blocks(found, cell.name, manager).append(block)
        results.save(path, found)
        print(_line(cell, manager, found), flush=True)
    return found


def _missing(
    cells: Sequence[Cell], scale: float, found: dict[str, Any], managers: Sequence[str]
) -> Iterator[tuple[Cell, str, float]]:
    """Cell, manager and size (runs or seconds) of the next block, as long as one is missing."""
    for cell in cells:
        turns = [manager for manager in cell.managers if manager in managers]
        while turns:
            for manager in list(turns):
                blocks = results.blocks(found, cell.name, manager)
                left = _wanted(cell, manager, scale) - sum(
                    _done(cell, run) for block in blocks for run in block["runs"]
                )
                fruitless = sum(not block["runs"] for block in blocks)
                if left < (SHORTEST if cell.seconds else 1) or fruitless >= BLOCKS_MAY_FAIL:
                    turns.remove(manager)
                else:
                    yield cell, manager, min(left, cell.seconds or cell.block)


def _wanted(cell: Cell, manager: str, scale: float) -> float:
    wanted = cell.total(manager) * scale
    return max(SHORTEST, wanted) if cell.seconds else max(1, math.floor(wanted + 0.5))


def _done(cell: Cell, run: dict[str, Any]) -> float:
    """What a run counts for. One that could not be played counts too: it must not be tried for ever."""
    if not cell.seconds:
        return 1
    return float(run["broken_s"]) if run["length"] else cell.seconds


def block_of(cell: Cell, manager: str, size: float) -> dict[str, Any]:
    """Play one block on a fresh cluster."""
    count = 1 if cell.seconds else int(size)
    record: dict[str, Any] = {"conditions": results.conditions(), "runs": []}
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vipkeeper-bench-") as folder:
        out = Path(folder) / "run.json"
        command = [sys.executable, "-m", "vipkeeper", "drill", cell.act, "--runs", str(count)]
        command += [*CONTENDERS[manager].words, "--interval", f"{cell.interval_ms}ms"]
        command += ["--report", folder, "--output", f"json={out}"]
        if manager == "vipkeeper":
            command += [word for setting in cell.settings for word in ("--set", setting)]
        if cell.seconds:
            command += ["--for", f"{max(1, round(size * 1000))}ms"]
        record["command"] = " ".join(["vipkeeper", *command[3:-4]])
        limit = _SETTLING + count * (_RUN + (size if cell.seconds else 0))
        try:
            done = started.run(command, timeout=limit)
            report = json.loads(out.read_text(encoding="utf-8"))
        except subprocess.TimeoutExpired:
            record["error"] = f"not ended after {limit:.0f} s"
        except FileNotFoundError:
            record["error"] = done.stderr[-2000:]
        else:
            record["version"] = report["tool_version"]
            record["conditions"] |= {"drill": report["conditions"]}
            record["runs"] = [run_of(act) for act in report["acts"]]
    record["took_s"] = round(time.monotonic() - begin, 3)
    record["conditions"]["load after"] = results.conditions()["load"]
    return record


def _line(cell: Cell, manager: str, found: dict[str, Any]) -> str:
    record = found["cells"][cell.name][manager]
    if "error" in record["blocks"][-1]:
        return f"{cell.name:<16}{manager:<12}FAILED {record['blocks'][-1]['error']}"
    return f"{cell.name:<16}{manager:<12}{_figures(cell, runs(record))}"


def _figures(cell: Cell, played: list[dict[str, Any]]) -> str:
    if cell.metric == "moves":
        seconds = sum(run["broken_s"] for run in played)
        moved, left = (sum(run[key] for run in played) for key in ("moves", "left"))
        return (
            f"n {len(played)}, {seconds:.0f} s: {moved} moves, the VIP left a kernel {left} times"
        )
    found = summary(run[cell.metric] for run in played)
    return ", ".join(f"{key} {value:g}" for key, value in found.items())


def print_summary(cells: Sequence[Cell], found: dict[str, Any]) -> None:
    """Every cell: n, min, p50, p99, max, and how keepalived of the same run compares."""
    for cell in cells:
        records = found["cells"].get(cell.name, {})
        for manager, record in records.items():
            print(f"{cell.name:<16}{manager:<12}{_figures(cell, runs(record))}")
        text = ratio(cell, records)
        if text:
            print(f"{'':<28}{text}")


def ratio(cell: Cell, records: dict[str, Any]) -> str:
    """keepalived / vipkeeper, p50 and max of the cell's metric; empty where it cannot be formed."""
    if cell.metric == "moves" or not {"vipkeeper", "keepalived"} <= set(records):
        return ""
    ours, theirs = (
        summary(run[cell.metric] for run in runs(records[manager]))
        for manager in ("vipkeeper", "keepalived")
    )
    if not (ours["n"] and theirs["n"] and ours["p50"] and ours["max"]):
        return ""
    p50, worst = (theirs[key] / ours[key] for key in ("p50", "max"))
    return f"keepalived / vipkeeper: p50 {p50:.2f}, max {worst:.2f}"
