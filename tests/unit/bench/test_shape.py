"""A damaged file of results, or one of somebody else: one line that says where, and nothing is written."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench import (
    lint,
    probe,
    results,
    runner,
    simulation,
    soak,
    started,
    suites,
    table,
    versus,
    why,
)
from bench.cells import CELLS
from bench.command import main as bench
from bench.shape import Results

from vipkeeper.report.run import API_LATE, LATE

AT = {"commit": "abc", "load": 0.5, "python": "3.11", "cores": 2}
RUN = {
    "run": 1,
    "length": 4.0,
    "verdict": "passed",
    "reason": "",
    "outage_ms": 210.0,
    "service_outage_ms": 220.0,
    "two_holders_ms": 0.0,
    "two_kernels_ms": 0.0,
    "none_ms": 200.0,
    "silent_ms": None,
    "left_behind": False,
    "moves": 1,
    "left": 1,
    "broken_s": 2.0,
    "unended": ["outage_ms"],
    "mended": [3.0],
    "longest": {"udp": {"start": 1.0, "end": 1.21}, "tls": None},
}
DRILL = {"seed": "7", "namespaces": "made by root", LATE: "1.5 ms", API_LATE: "2.5 ms"}
BLOCK = {
    "conditions": AT | {"started": "2026-11-27T10:00:00Z", "load after": 0.6, "drill": DRILL},
    "runs": [RUN],
    "version": "1",
    "error": "not ended",
    "took_s": 9.5,
}
SPREAD = {"n": 1, "min": 1.0, "p50": 2.0, "p99": 3.0, "max": 3.0}
PROCESS = {"role": "keeper", "rss_kib": 20_000, "pss_kib": 15_000}
RESTING = {"servers": {"cp1": {"holder": True, "cpu_percent": 0.5, "processes": [PROCESS]}}}
LINTED = {"wall_ms": 90.0, "cpu_ms": 80.0, "rss_kib": 30_000, "load": 0.5, "found": "no findings"}
SWEEP = {
    "command": "vipkeeper simulate",
    "way": "compiled",
    "compiling_s": 60.0,
    "conditions": {"commit": "abc", "load": 0.5},
    "runs": 1,
    "simulated_hours": 1.0,
    "events": 10,
    "faults": 5,
    "moves": 1,
    "seconds": 2.0,
    "violations": 0,
}
READ = {"seconds": 1.0, "cpu_s": 0.9, "floor_s": 0.5, "rss_mib": 90.0}
SEED = {"events": 100_000, "cpu_s": 1.0}
EVERYTHING: dict[str, Any] = {
    "schema_version": 1,
    "cells": {
        "power-off": {name: {"blocks": [BLOCK]} for name in ("vipkeeper", "keepalived")},
        "fault/loss": {name: {"blocks": [BLOCK]} for name in ("vipkeeper", "keepalived-best")},
    },
    "left_out": {"ucarp": "not installed"},
    "rest": {"conditions": AT, "seconds": 60.0, "help_ms": SPREAD} | RESTING,
    "rest_versus": {"vipkeeper": RESTING},
    "lint": {
        "conditions": AT,
        "byte_code": "compiled before",
        "trees": [{"servers": n, "files": 5 * n, "runs": [LINTED]} for n in (1, 1000, 2000)],
    },
    "simulate": {
        "conditions": AT,
        "speed": [SEED],
        "speed_compiled": [SEED],
        "compiler": {"mypy": "1", "cc": "gcc 12", "level": "2", "modules": 9, "seconds": 60.0},
        "stuns": [{"two_ms": 2.0}],
        "sweeps": [SWEEP],
    },
    "probe": {"conditions": AT, "datagrams": 9, "lost": 0, "tardy": 0, "turns_left_out": 0}
    | {"send_late_us": SPREAD, "round_trip_us": SPREAD},
    "suites": {
        "conditions": AT,
        "suites": {
            "full": {"seconds": 800.0, "acts": 94, "failed": {"busy": "moved"}, "skipped": {}}
        },
    },
    "why": {
        "conditions": AT,
        "bytes": 9,
        "cells": {name: {"runs": [READ]} for name in ("quiet", "loud")},
        "live": {name: [READ] for name in ("healthy", "dead")},
    },
}
DELETED = object()
DAMAGES: tuple[object, ...] = (DELETED, None, "x", [], {}, 0, True, 10**400, float("nan"), "\ud800")
LINES = {
    "why": why.line,
    "lint": lint.line,
    "simulate": simulation.line,
    "probe": probe.line,
    "suites": suites.line,
}


def places(value: object, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of every value within another one."""
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, one in inner:
        yield (*place, key)
        yield from places(one, (*place, key))


def damaged(place: tuple[Any, ...], damage: object) -> dict[str, Any]:
    """Everything, with one value replaced or taken away."""
    made = json.loads(json.dumps(EVERYTHING))
    holder = made
    for key in place[:-1]:
        holder = holder[key]
    if damage is DELETED:
        del holder[place[-1]]
    else:
        holder[place[-1]] = damage
    return dict(made)


def read_by_all(found: dict[str, Any]) -> None:
    """Whatever a command does with results before it measures, and the page."""
    table.page(copy.deepcopy(found) | {"soaks": {}}).encode()
    results.commits(found)
    versus.remaining(versus.cells(), 0.02, found)
    next(runner._missing(CELLS, 1.0, found, ("vipkeeper",)))
    runner.print_summary(CELLS, found)
    for name, line in LINES.items():
        if name in found:
            line(found[name])


@pytest.mark.parametrize("section", EVERYTHING)
def test_whatever_is_damaged_is_refused_in_a_line_or_harms_no_reader(
    section: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.json"
    for place in places({section: EVERYTHING[section]}):
        for damage in DAMAGES:
            text = json.dumps(damaged(place, damage))
            try:
                found = results.parse(text, path)
            except results.ResultsError as error:
                (line,) = str(error).splitlines()
                assert line.startswith(f"{path}: "), place
                continue
            read_by_all(found)


def test_what_is_whole_is_read() -> None:
    assert EVERYTHING.keys() == {"schema_version", *Results.__annotations__}
    assert results.parse(json.dumps(EVERYTHING), Path("own.json")) == EVERYTHING
    read_by_all(json.loads(json.dumps(EVERYTHING)))


@pytest.mark.parametrize("path", sorted(results.DEFAULT.parent.rglob("*.json")), ids=str)
def test_published_results_are_whole(path: Path) -> None:
    found = results.document(path.read_text(encoding="utf-8"), path)
    if "violations" in found:
        soak.parse(path.read_text(encoding="utf-8"), path)
    elif not results.is_foreign(found):
        results.checked(found, path)


@pytest.mark.parametrize(
    ("place", "damage", "said"),
    [
        (("cells",), DELETED, "damaged: cells: missing"),
        (("cells", "power-off"), [], "damaged: cells.power-off: found a list, expected an object"),
        (
            ("cells", "power-off", "vipkeeper", "blocks", 0, "runs"),
            DELETED,
            "damaged: cells.power-off.vipkeeper.blocks[0].runs: missing",
        ),
        (
            ("cells", "power-off", "vipkeeper", "blocks", 0, "runs", 0, "outage_ms"),
            "12 ms",
            "damaged: cells.power-off.vipkeeper.blocks[0].runs[0].outage_ms: found '12 ms', expected a number or null",
        ),
        (
            ("cells", "power-off", "nobody"),
            {"blocks": []},
            "cells.power-off: there is no contender 'nobody'",
        ),
        (("rest", "servers"), {}, "damaged: rest.servers: nothing is in it"),
        (
            ("simulate", "sweeps", 0, "seconds"),
            0,
            "damaged: simulate.sweeps[0].seconds: found 0, expected a number above 0",
        ),
        (("schema_version",), 2, "no results of the bench, version 1"),
    ],
)
def test_a_damaged_file_is_one_line_that_names_the_place(
    place: tuple[Any, ...], damage: object, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.json"
    with pytest.raises(results.ResultsError) as refused:
        results.parse(json.dumps(damaged(place, damage)), path)
    assert str(refused.value) == f"{path}: {said}"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(EVERYTHING)[:200],
        "[]",
        '{"schema_version": 1, "acts": []}',
        '{"schema_version": 1, "cells": {"power-off": {"vipkeeper": {"blocks": [{}]}}}}',
        '{"schema_version": 1, "violations": 3}',
    ],
)
@pytest.mark.parametrize(
    "words",
    ["versus", "election", "holder", "rest", "why", "lint", "simulate", "probe", "soak", "table"],
)
def test_no_command_writes_over_a_file_that_is_none_of_its_own(
    words: str,
    text: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measured(*_: Any, **__: Any) -> None:
        pytest.fail("a measurement began")

    monkeypatch.setattr(subprocess, "Popen", measured)
    monkeypatch.setattr(started, "in_box", measured)
    monkeypatch.setattr("tools.compiled.build", measured)
    path = tmp_path / "own.json"
    path.write_text(text)
    asked = ["--results", str(path)] if words == "table" else []
    page = tmp_path / "page.md"
    assert bench([words, *asked, "--out", str(page if words == "table" else path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"bench: {path}: ")
    assert path.read_text() == text
    assert [one.name for one in tmp_path.iterdir()] == ["own.json"]
