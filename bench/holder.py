"""Measures takeover and handover of vipkeeper and, beside it in the same run, of keepalived.

    .venv/bin/python bench/holder.py [--scale 1.0] [--out bench/results/holder.json]

Blocks of the two managers alternate (A B A B), faults come at a random phase, every figure is what a
client (UDP echo each 2 ms, TLS hello each 20 ms) and an observer (broadcast ARP each 5 ms) saw.
Interrupted, it writes what it has. Nothing here judges; bench/README.md says what was aimed at.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

BLOCK = 5
CELLS = (
    ("power-off", 30, ("vipkeeper", "keepalived")),
    ("handover", 50, ("vipkeeper", "keepalived")),
    ("api-dead", 50, ("vipkeeper", "keepalived")),
    ("daemon-killed", 10, ("vipkeeper", "keepalived")),
    ("daemon-frozen", 10, ("vipkeeper", "keepalived")),
)
FIELDS = ("outage_ms", "service_outage_ms", "two_holders_ms", "left_behind", "moves", "verdict")


def drill(act: str, runs: int, manager: str) -> dict[str, Any]:
    """Play one act several times; the whole report."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run.json"
        command = [sys.executable, "-m", "vipkeeper", "drill", act, "--runs", str(runs)]
        command += ["--manager", manager, "--report", folder, "--output", f"json={out}"]
        subprocess.run(command, check=False, capture_output=True, timeout=600)
        report: dict[str, Any] = json.loads(out.read_text())
        return report


def quantile(values: list[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def summary(values: Iterable[float | None]) -> dict[str, float | int]:
    """n, min, p50, p99, max."""
    known = [value for value in values if value is not None]
    if not known:
        return {"n": 0}
    return {
        "n": len(known),
        "min": min(known),
        "p50": quantile(known, 0.5),
        "p99": quantile(known, 0.99),
        "max": max(known),
    }


def fault_cells(scale: float, save: Any) -> dict[str, Any]:
    """Every act with every manager, in alternating blocks."""
    cells: dict[str, Any] = {}
    for act, wanted, managers in CELLS:
        runs = max(1, round(wanted * scale))
        done = 0
        while done < runs:
            block = min(BLOCK, runs - done)
            for manager in managers:
                cell = cells.setdefault(f"{act}/{manager}", {"runs": []})
                report = drill(act, block, manager)
                cell["conditions"] = report["conditions"]
                cell["runs"] += [{key: run[key] for key in FIELDS} for run in report["acts"]]
                cell["client_outage_ms"] = summary(run["outage_ms"] for run in cell["runs"])
                cell["service_outage_ms"] = summary(
                    run["service_outage_ms"] for run in cell["runs"]
                )
                cell["two_holders_ms"] = summary(run["two_holders_ms"] for run in cell["runs"])
                cell["left_behind"] = sum(bool(run["left_behind"]) for run in cell["runs"])
                print(act, manager, len(cell["runs"]), cell["client_outage_ms"], flush=True)
                save(cells)
            done += block
    return cells


def help_time(runs: int = 20) -> dict[str, float | int]:
    """Whole process, milliseconds."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "vipkeeper", "--help"], capture_output=True, check=True
        )
        times.append((time.perf_counter() - begin) * 1000)
    return summary(times)


def main() -> int:
    """Run everything and write the raw results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="fewer runs for a quick look")
    parser.add_argument("--out", type=Path, default=Path("bench/results/holder.json"))
    args = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    result: dict[str, Any] = {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit,
        "kernel": os.uname().release,
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "help_ms": help_time(),
    }

    def save(cells: dict[str, Any]) -> None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps({**result, "cells": cells}, indent=1) + "\n")

    save(fault_cells(args.scale, save))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
