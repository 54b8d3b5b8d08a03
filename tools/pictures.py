"""Draws docs/pictures/ from its run.json and from bench/results/, or with --check compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from vipkeeper.report.bench import outages
from vipkeeper.report.json import load_run
from vipkeeper.report.soak import load_soak
from vipkeeper.report.summary import summaries
from vipkeeper.report.svg import timeline
from vipkeeper.report.svg_network import topology
from vipkeeper.report.svg_outages import curves
from vipkeeper.report.svg_phases import takeovers
from vipkeeper.report.svg_soak import overview

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures"
RECORD = FOLDER / "run.json"
ACT = "daemon-killed"
ONCE = "every/"
"""Cells of one run: nothing to draw."""


def pictures() -> dict[str, str]:
    """Every picture by the name of its file."""
    run = load_run(RECORD.read_text(encoding="utf-8"))
    act = next(act.worst for act in summaries(run) if act.name == ACT)
    found = {}
    for suffix, narrow in (("", False), ("-narrow", True)):
        found[f"{ACT}{suffix}.svg"] = timeline(act, narrow=narrow)
        found[f"phases{suffix}.svg"] = takeovers(run, narrow=narrow)
        found[f"network{suffix}.svg"] = topology(act, narrow=narrow)
    for name, records in results().items():
        cell = None if name.startswith(ONCE) else outages(name, records)
        if cell is not None and len(cell.series) > 1:
            found[f"outages-{name.replace('/', '-')}.svg"] = curves(cell)
    for path in sorted((ROOT / "bench" / "results").glob("soak*.json")):
        soak = load_soak(path.read_text(encoding="utf-8"))
        found[f"{path.stem}.svg"] = overview(soak)
        found[f"{path.stem}-narrow.svg"] = overview(soak, narrow=True)
    return found


def results() -> dict[str, dict[str, dict[str, list[Any]]]]:
    """The blocks of every cell and program; of a cell in two files, those of both, as in docs/benchmarks.md."""
    found: dict[str, dict[str, dict[str, list[Any]]]] = {}
    for path in sorted((ROOT / "bench" / "results").glob("*.json")):
        cells = json.loads(path.read_text(encoding="utf-8")).get("cells", {})
        for cell, records in cells.items():
            for name, record in records.items():
                blocks = found.setdefault(cell, {}).setdefault(name, {"blocks": []})["blocks"]
                blocks.extend(record["blocks"])
    return found


def main(arguments: list[str]) -> int:
    """Write, or check."""
    wanted = pictures()
    if "--check" in arguments:
        there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.svg")}
        wrong = sorted(
            name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name)
        )
        lines = [f"docs/pictures/{name} is not up to date; run tools/pictures.py" for name in wrong]
        sys.stderr.writelines(f"{line}\n" for line in lines)
        return 1 if wrong else 0
    for name, content in wanted.items():
        (FOLDER / name).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
