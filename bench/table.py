"""Draws docs/benchmarks.md from the raw results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench import headtohead, lint, probe, results, simulation, soak, suites, versus, why
from bench.cells import CELLS, Cell
from bench.figures import runs, summary
from bench.headtohead import rows as _rows
from bench.runner import ratio
from bench.targets import AIMS, judge, rest_findings, shown, why_findings

from vipkeeper.report.run import API_LATE

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
"""Drawn by tools/pictures.py."""
WORST = 3
"""Runs of each cell that are shown one by one: so many of those not as expected, so many of the longest outages."""
HEAD = """\
# Benchmarks

{made}

Figures are milliseconds. Resolution: client outage one UDP echo every 2 ms, service outage one TLS hello
every 20 ms, two holders and nobody on the wire one ARP question every 5 ms, kernels exact to the reading of the event.
All machines are network namespaces on one kernel and share its cores: compare ratios within a row's cell, not numbers of
two machines.
"""
PUBLISHED = (
    "Made by `./dev bench table` from the raw results in [bench/results/](../bench/README.md); do not edit. How it is\n"
    "measured, and how to repeat it: [bench/README.md](../bench/README.md)."
)
_REAL_TIME = {"granted": "in use", "granted to some": "in use by some", "not granted": "not in use"}
"""What a drill's report says of the daemons' scheduling; a peer's default does not ask for it."""
METRICS = (
    ("outage_ms", "client outage"),
    ("service_outage_ms", "service outage"),
    ("two_holders_ms", "two holders on the wire"),
    ("two_kernels_ms", "two kernels with the VIP"),
    ("none_ms", "nobody answers the observer"),
    ("silent_ms", "until the struck server is silent"),
)


def gather(place: Path) -> dict[str, Any]:
    """All results of a folder, or those of one file; where two files have one cell, the runs of both.

    Raises:
        ResultsError: there are none, a file cannot be read, or it is damaged.
    """
    folder = place.is_dir()
    paths = sorted(place.glob("*.json")) if folder else [place]
    found: dict[str, Any] = {"schema_version": results.SCHEMA_VERSION, "cells": {}, "soaks": {}}
    empty = json.dumps(found)
    for path in paths:
        text = results.read(path)
        if text is None:
            raise results.ResultsError(f"{path}: there is no such file or folder")
        document = results.document(text, path)
        if "violations" in document:
            soak.parse(text, path)
            found["soaks"][path.stem] = text
            continue
        # A recorded drill may lie beside them.
        if folder and results.is_foreign(document):
            continue
        one = results.checked(document, path)
        for cell, records in one["cells"].items():
            for manager, record in records.items():
                results.blocks(found, cell, manager).extend(record["blocks"])
        for name in ("rest", "lint", "simulate", "probe", "why", "suites"):
            if name in one:
                found[name] = _later(found.get(name), one[name])
        for who, cost in one.get("rest_versus", {}).items():
            costs = found.setdefault("rest_versus", {})
            costs[who] = _later(costs.get(who), cost)
        if "left_out" in one:
            found["left_out"] = found.get("left_out", {}) | one["left_out"]
    if json.dumps(found) == empty:
        raise results.ResultsError(f"{place}: no results of the bench{' in it' if folder else ''}")
    return found


def _later(one: dict[str, Any] | None, other: dict[str, Any]) -> dict[str, Any]:
    """Of two measurements of the same, the one begun later."""

    def begun(measured: dict[str, Any]) -> str:
        return str(measured.get("conditions", {}).get("started", ""))

    return other if one is None or begun(other) >= begun(one) else one


def page(found: dict[str, Any], place: Path | None = None) -> str:
    """The whole page; `place`: where the results are from if not from those published, whose pictures are others."""
    pictures = PICTURES if place is None else None
    made = PUBLISHED if place is None else f"Made by `./dev bench table` from {place}."
    parts = [HEAD.format(made=made), headtohead.section(found), _conditions(found), _aims(found)]
    parts += [_cell(cell, found["cells"].get(cell.name, {}), pictures) for cell in CELLS]
    many = [cell for cell in versus.cells() if cell.runs > 1 and found["cells"].get(cell.name)]
    parts += [_cell(cell, found["cells"][cell.name], pictures) for cell in many]
    parts += [_rest(found.get("rest")), headtohead.rest(found.get("rest_versus"))]
    parts += [probe.section(found.get("probe")), lint.section(found.get("lint"))]
    parts += [simulation.section(found.get("simulate"))]
    parts += [why.section(found.get("why")), soak.section(found.get("soaks", {}), pictures)]
    return "\n".join(part for part in parts if part)


def _conditions(found: dict[str, Any]) -> str:
    seen: dict[str, dict[str, None]] = {}
    loads, late, api = [], [], []
    for records in found["cells"].values():
        for block in (b for record in records.values() for b in record["blocks"]):
            drill = block["conditions"].get("drill", {})
            for key in ("commit", "kernel", "cores", "cpu", "memory", "python"):
                if key in block["conditions"]:
                    seen.setdefault(key, {})[str(block["conditions"][key])] = None
            for key in ("namespaces",):
                seen.setdefault(key, {})[drill.get(key, "?")] = None
            loads += [block["conditions"]["load"], block["conditions"]["load after"]]
            if said := drill.get("probes late by at most"):
                late.append(float(said.split()[0]))
            if API_LATE in drill:
                api.append(float(drill[API_LATE].split()[0]))
    if not loads:
        return "## Conditions\n\nNothing has been measured yet.\n"
    rows = [[key, ", ".join(values)] for key, values in seen.items()]
    rows.append(["load average (1 min) before and after blocks", f"{min(loads)} to {max(loads)}"])
    rows.append(["probes late by at most, worst block", f"{max(late, default=0)} ms"])
    if api:
        rows.append(["API server late by at most, worst block", f"{max(api)} ms"])
    return "## Conditions\n\n" + _rows(["condition", "value"], rows)


def _aims(found: dict[str, Any]) -> str:
    text = "## What was aimed at\n"
    titles = (
        (2, "the holder"),
        (3, "the election"),
        (4, "the linter"),
        (5, "why"),
        (6, "the proving ground"),
    )
    for issue, title in titles:
        judged = [(a.text, a.cell, judge(a, found["cells"])) for a in AIMS if a.issue == issue]
        if issue == 2:
            judged += [
                (words, "rest", finding) for words, finding in rest_findings(found.get("rest"))
            ]
        if issue == 3:
            judged += [
                (words, "simulate", f) for words, f in simulation.findings(found.get("simulate"))
            ]
        if issue == 4:
            judged += [(words, "lint", f) for words, f in lint.findings(found.get("lint"))]
        if issue == 5:
            judged += [(words, "why", f) for words, f in why_findings(found.get("why"))]
        if issue == 6:
            judged += [(words, cell, f) for words, cell, f in headtohead.findings(found)]
            judged.append(
                ("the probe loses 0 of 500,000", "probe", probe.finding(found.get("probe")))
            )
            judged += [(words, "suites", f) for words, f in suites.findings(found.get("suites"))]
        rows = [[words, f.verdict, f.found, cell] for words, cell, f in judged]
        text += f"\nIssue {issue}, {title}:\n\n" + _rows(["aim", "", "found", "cell"], rows)
    return text


def _cell(cell: Cell, records: dict[str, Any], pictures: Path | None) -> str:
    if not records:
        return f"## {cell.name}\n\n{cell.what}: not measured.\n"
    text = f"## {cell.name}\n\n{cell.what}. Act `{cell.act}`, adverts every {cell.interval_ms} ms"
    text += "".join(f", `{setting}`" for setting in cell.settings) + ".\n\n"
    records = {manager: record for manager, record in records.items() if record["blocks"]}
    for manager, record in records.items():
        text += _manager(manager, record)
    if compared := ratio(cell, records):
        text += f"{compared} ({cell.metric}).\n\n"
    picture = f"outages-{cell.name.replace('/', '-')}.svg"
    if len(records) > 1 and pictures is not None and (pictures / picture).exists():
        text += (
            f"![{cell.name}: share of runs that were over after so long](pictures/{picture})\n\n"
        )
    for manager, record in records.items():
        text += _worst(cell, manager, record)
    return text


def _manager(manager: str, record: dict[str, Any]) -> str:
    blocks, played = record["blocks"], runs(record)
    versions = list(dict.fromkeys(b["version"] for b in blocks if "version" in b))
    granted = dict.fromkeys(
        _REAL_TIME.get(b["conditions"].get("drill", {}).get("real-time scheduling"), "?")
        for b in blocks
    )
    lost = sum("error" in block for block in blocks)
    unplayed = sum(len(block["runs"]) for block in blocks) - len(played)
    broken = sum(run["broken_s"] for run in played)
    text = f"**{manager} {', '.join(versions)}**: {len(played)} runs in {len(blocks)} blocks"
    text += f" ({lost} failed, {unplayed} runs could not be played)" if lost or unplayed else ""
    text += f", broken for {broken:.0f} s in all; real-time scheduling {', '.join(granted)}; "
    text += f"moves {sum(run['moves'] for run in played)}, the VIP left a kernel "
    text += f"{sum(run['left'] for run in played)} times, left behind "
    text += f"{sum(run['left_behind'] for run in played)}; acts not as expected "
    text += f"{sum(run['verdict'] != 'passed' for run in played)}.\n\n"
    rows = []
    for key, name in METRICS:
        values = summary(run[key] for run in played)
        if values["n"]:
            rows.append([name, *(shown(values[k]) for k in ("n", "min", "p50", "p99", "max"))])
    return text + _rows(["", "n", "min", "p50", "p99", "max"], rows) + "\n"


def _worst(cell: Cell, manager: str, record: dict[str, Any]) -> str:
    """Runs that were not as expected, and the longest outages, one line each."""
    every = [
        (run, block)
        for block in record["blocks"]
        for run in block["runs"]
        if run["verdict"] != "passed" or run[cell.metric]
    ]
    every.sort(
        key=lambda pair: (pair[0][cell.metric] or 0, pair[0]["two_holders_ms"]), reverse=True
    )
    broken = [pair for pair in every if pair[0]["verdict"] != "passed"][:WORST]
    lines = ""
    for run, block in broken + [pair for pair in every[:WORST] if pair not in broken]:
        seed = block["conditions"].get("drill", {}).get("seed", "?")
        figures = ", ".join(
            f"{key} {shown(run[key])}" for key in (cell.metric, "two_holders_ms", "moves")
        )
        reason = f" {run['reason']}" if run["reason"] else ""
        started, load = block["conditions"]["started"], block["conditions"]["load"]
        lines += f"* {manager}: {figures} (block of {started}, seed {seed}, run {run['run']}, load {load}){reason}\n"
    return f"Worst runs:\n\n{lines}\n" if lines else ""


def rest_line(rest: dict[str, Any]) -> str:
    """One line on stdout."""
    return "; ".join(f"{text}: {f.verdict} ({f.found})" for text, f in rest_findings(rest))


def _rest(rest: dict[str, Any] | None) -> str:
    if not rest:
        return "## rest\n\nMemory, processor time and `--help`: not measured.\n"
    rows = []
    for name, server in rest["servers"].items():
        sizes = [f"{p['role']} {p['rss_kib']} / {p['pss_kib']}" for p in server["processes"]]
        both = f"{sum(p['rss_kib'] for p in server['processes'])}"
        role = f"{name} (holder)" if server["holder"] else name
        rows.append([role, ", ".join(sizes), both, f"{server['cpu_percent']} %"])
    times = rest["help_ms"]
    text = f"## rest\n\nA cluster of three at rest for {rest['seconds']} s, commit {rest['conditions']['commit']}, "
    text += f"load {rest['conditions']['load']}. RSS counts pages that both processes share twice; PSS shares them out. "
    text += "The daemons write no trace, as installed.\n\n"
    text += _rows(["server", "RSS / PSS, KiB", "RSS of both, KiB", "of one core"], rows)
    text += "\n`vipkeeper --help`, ms: "
    return (
        text
        + ", ".join(f"{k} {shown(times[k])}" for k in ("n", "min", "p50", "p99", "max"))
        + ".\n"
    )
