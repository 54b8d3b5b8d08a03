"""The bench: figures from a recorded act, what counts as met, and going on after an interruption."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bench import results, runner, table
from bench.cells import CELLS, Cell
from bench.figures import run_of, runs, summary
from bench.targets import AIMS, Aim, Finding, judge, share, total


def span(start: float, end: float) -> dict[str, float]:
    return {"start": start, "end": end}


def act(**changes: Any) -> dict[str, Any]:
    """cp1 is struck at 1.0 and silent from 1.4 on, its kernel has the VIP until 2.1; cp2 from 1.9."""
    base: dict[str, Any] = {
        "name": "power-off",
        "run": 1,
        "length": 4.0,
        "verdict": "passed",
        "reason": "",
        "outage_ms": 500.0,
        "service_outage_ms": 520.0,
        "two_holders_ms": 0.0,
        "left_behind": False,
        "moves": 1,
        "lanes": [
            {"server": "cp1", "held": [span(0, 2.1)], "answered": [span(0, 1.4)]},
            {"server": "cp2", "held": [span(1.9, 4.0)], "answered": [span(1.9, 4.0)]},
        ],
        "udp": {"sent": 2000, "lost": 250, "gaps": [span(1.4, 1.9)]},
        "tls": {"gaps": []},
        "faults": [span(1.0, 3.0)],
        "markers": [
            {"at": 1.0, "kind": "fault", "text": "", "server": "cp1"},
            {"at": 2.1, "kind": "released", "text": "", "server": "cp1"},
        ],
    }
    return base | changes


def record(*runs: dict[str, Any], commit: str = "abc") -> dict[str, Any]:
    conditions = {
        "started": "2026-01-01T00:00:00Z",
        "commit": commit,
        "kernel": "6",
        "cores": 2,
        "python": "3.11",
        "load": 0.1,
        "load after": 0.2,
        "drill": {"seed": "7", "probes late by at most": "1.5 ms"},
    }
    return {"blocks": [{"conditions": conditions, "runs": list(runs), "version": "1"}]}


def test_figures_of_a_run_come_from_wire_and_kernels() -> None:
    run = run_of(act())
    assert run["silent_ms"] == 400.0
    assert run["gone_ms"] == 1100.0
    assert run["two_kernels_ms"] == 200.0
    assert run["none_ms"] == 500.0
    assert run["broken_s"] == 2.0
    assert run["left"] == 1
    assert run["unended"] == []


def test_what_the_api_server_was_late_by_is_kept_where_it_was_measured() -> None:
    old, new = record(run_of(act())), record(run_of(act(api_late_ms=7.5)))
    assert new["blocks"][0]["runs"][0]["api_late_ms"] == 7.5
    assert "API server late" not in table.page({"cells": {"power-off": {"vipkeeper": old}}})
    new["blocks"][0]["conditions"]["drill"]["API server late by at most"] = "7.5 ms"
    page = table.page({"cells": {"power-off": {"vipkeeper": new}}})
    assert "| API server late by at most, worst block | 7.5 ms |" in page


def test_outage_that_only_the_mending_ended_is_told_apart() -> None:
    mended = {"at": 3.0, "kind": "healed", "text": "", "server": "cp1"}
    client = {"sent": 2000, "lost": 800, "gaps": [span(1.4, 2.9), span(3.5, 3.6)]}
    refused = {"gaps": [span(1.0, 4.0)]}
    run = run_of(act(markers=[*act()["markers"], mended], udp=client, tls=refused))
    assert run["unended"] == ["outage_ms", "service_outage_ms"]
    taken_over = client | {"gaps": [span(1.4, 1.9)]}
    assert run_of(act(markers=[*act()["markers"], mended], udp=taken_over))["unended"] == []


def test_a_short_gap_shortly_before_the_mending_or_the_end_has_ended_by_itself() -> None:
    mended = {"at": 3.0, "kind": "healed", "text": "", "server": "cp1"}
    client = {"sent": 2000, "lost": 20, "gaps": [span(2.7, 2.9)]}
    late = {"gaps": [span(3.6, 3.84)]}
    run = run_of(act(markers=[*act()["markers"], mended], udp=client, tls=late))
    assert run["unended"] == []
    assert run_of(act(tls={"gaps": [span(3.6, 4.0)]}))["unended"] == ["service_outage_ms"]
    assert run_of(act(tls={"gaps": [span(3.0, 3.99)]}))["unended"] == []


def test_a_handover_mends_nothing() -> None:
    told = {"at": 1.895, "kind": "healed", "text": "handed over", "server": "cp1"}
    changes = {
        "markers": [*act()["markers"], told],
        "udp": {**act()["udp"], "gaps": [span(1.4, 1.9)]},
    }
    assert run_of(act(name="daemon-frozen", **changes))["unended"] == ["outage_ms"]
    assert run_of(act(name="handover", **changes))["unended"] == []


def test_what_did_not_end_is_concluded_from_what_is_kept_by_the_rule_as_it_is_now() -> None:
    run = run_of(act(udp={**act()["udp"], "gaps": [span(3.0, 3.99)]}))
    older = {key: run[key] for key in run if key != "longest"}
    for kept, unended in ((run, []), (older, ["outage_ms"])):
        (read,) = runs(record(kept | {"unended": ["outage_ms"]}))
        assert read["unended"] == unended


def test_server_that_never_falls_silent_has_no_figure_and_misses_the_aim() -> None:
    forever = [{"server": "cp1", "held": [span(0, 4.0)], "answered": [span(0, 4.0)]}]
    run = run_of(act(lanes=forever))
    assert run["silent_ms"] is None
    aim = Aim(3, "silent", "strict-killed", share("silent_ms", "max"), 450, 1)
    found = judge(aim, {"strict-killed": {"vipkeeper": record(run)}})
    assert found.verdict == "missed"


@pytest.mark.parametrize(
    ("answered", "silent_ms"),
    [
        ([span(0, 1.02), span(1.025, 3.0)], 2000.0),  # one answer came after the next question
        ([span(0, 1.02), span(1.03, 2.0), span(2.01, 3.0)], 2000.0),
        ([span(0, 0.999), span(1.004, 3.0)], 2000.0),  # and that when it was struck
        ([span(0, 1.02), span(1.035, 3.0)], 20.0),
        ([span(0, 1.02), span(1.03, 4.0)], None),
    ],
)
def test_a_server_is_silent_from_three_questions_without_its_answer_on(
    answered: list[dict[str, float]], silent_ms: float | None
) -> None:
    lanes = [{"server": "cp1", "held": [span(0, 2.1), span(2.105, 3.0)], "answered": answered}]
    run = run_of(act(lanes=lanes))
    assert run["silent_ms"] == silent_ms
    assert run["gone_ms"] == 1100.0, "a kernel's word is no sample: the VIP had left it"


def test_quantile_is_a_value_that_was_measured() -> None:
    found = summary([5.0, 1.0, None, 3.0, 2.0, 4.0])
    assert found == {"n": 5, "min": 1.0, "p50": 3.0, "p99": 5.0, "max": 5.0}
    assert summary([None]) == {"n": 0}


@pytest.mark.parametrize(
    ("outages", "verdict"),
    [
        ([290.0, 100.0], "met"),
        ([290.001, 100.0], "missed"),
        ([100.0], "not measured"),
        ([300.0], "missed"),
        ([], "not measured"),
    ],
)
def test_aim_is_met_only_by_all_runs_and_missed_by_one(outages: list[float], verdict: str) -> None:
    aim = Aim(3, "", "power-off", share("outage_ms", "max"), 290, need=3)
    runs = [run_of(act(outage_ms=outage)) for outage in outages]
    found = judge(aim, {"power-off": {"vipkeeper": record(*runs)}})
    if verdict == "met":
        assert found.verdict == "not measured", "two of three runs"
        runs.append(run_of(act(outage_ms=1.0)))
        found = judge(aim, {"power-off": {"vipkeeper": record(*runs)}})
    assert found.verdict == verdict


def test_run_that_could_not_be_played_is_no_success() -> None:
    aim = Aim(3, "", "stall", total("moves"), 0, need=1)
    runs = [run_of(act(moves=0)), run_of(act(moves=0, length=0.0, lanes=[], markers=[], faults=[]))]
    assert judge(aim, {"stall": {"vipkeeper": record(*runs)}}).verdict == "not measured"


def test_an_aim_is_missed_where_the_head_to_head_misses_it_and_met_by_its_own_runs_alone() -> None:
    aim = Aim(2, "", "power-off", share("outage_ms", "p50"), 300, 3)
    good, bad = (run_of(act(outage_ms=outage)) for outage in (200.0, 400.0))

    def judged(own: list[dict[str, Any]], twin: list[dict[str, Any]]) -> Finding:
        peers = {"vipkeeper": record(*twin), "keepalived-best": record(bad, bad)}
        cells = {"power-off": {"vipkeeper": record(*own)}, "fault/power-off": peers}
        return judge(aim, cells)

    assert judged([good] * 3, [bad]) == Finding(
        "missed", "p50 200 ms; in the head-to-head p50 400 ms (1 run)"
    )
    assert judged([bad] * 3, [good] * 50).verdict == "missed"
    assert judged([good] * 2, [good] * 50).verdict == "not measured"
    assert judged([good] * 3, [good]).verdict == "met"
    assert judged([good] * 3, []) == Finding("met", "p50 200 ms")
    of_others = Aim(2, "", "power-off-vm", share("outage_ms", "max"), 300, 1)
    cells = {
        "power-off-vm": {"vipkeeper": record(good)},
        "fault/power-off": {"vipkeeper": record(bad)},
    }
    assert judge(of_others, cells).verdict == "met", "played under other conditions"


def test_every_aim_is_of_a_cell_there_is() -> None:
    names = {cell.name for cell in CELLS}
    assert [aim.text for aim in AIMS if aim.cell not in names] == []
    assert {name for name in names if name not in {aim.cell for aim in AIMS}} == set()


def test_page_shows_what_was_missed_unrounded_and_the_worst_run() -> None:
    runs = [run_of(act(outage_ms=290.004, reason="why", verdict="failed"))]
    page = table.page({"cells": {"power-off": {"vipkeeper": record(*runs)}}})
    aim = "| power off, bare-metal: max at most 290 ms | missed | max 290.004 ms | power-off |"
    assert aim in page
    assert "seed 7, run 1" in page
    assert "why" in page
    assert "## loss-20\n\n20 % loss towards all servers: not measured." in page


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Manager and size of every block played."""
    played: list[tuple[str, float]] = []

    def block(cell: Cell, manager: str, size: float) -> dict[str, Any]:
        played.append((manager, size))
        if len(played) == 4:
            raise KeyboardInterrupt
        runs = [run_of(act())] * (1 if cell.seconds else int(size))
        made: dict[str, Any] = record(*runs, commit="now")["blocks"][0]
        return made

    monkeypatch.setattr(runner, "block_of", block)
    monkeypatch.setattr(results, "commit", lambda: "now")
    return played


def test_managers_alternate_and_an_interrupted_run_goes_on(
    blocks: list[tuple[str, float]], tmp_path: Path
) -> None:
    cell = Cell("power-off", "power-off", 12, "")
    file = tmp_path / "out.json"
    both = ("vipkeeper", "keepalived")
    with pytest.raises(KeyboardInterrupt):
        runner.play([cell], 1.0, file, both, mix=False)
    assert blocks == [
        ("vipkeeper", 5),
        ("keepalived", 5),
        ("vipkeeper", 5),
        ("keepalived", 5),
    ]
    runner.play([cell], 1.0, file, both, mix=False)
    assert blocks[4:] == [("vipkeeper", 2), ("keepalived", 5), ("keepalived", 2)]
    found = json.loads(file.read_text())["cells"]["power-off"]
    assert {name: sum(len(b["runs"]) for b in r["blocks"]) for name, r in found.items()} == {
        "vipkeeper": 12,
        "keepalived": 12,
    }


def test_runs_of_two_commits_are_mixed_only_if_asked(
    blocks: list[tuple[str, float]], tmp_path: Path
) -> None:
    file = tmp_path / "out.json"
    results.save(
        file, {"schema_version": 1, "cells": {"busy": {"vipkeeper": record(commit="old")}}}
    )
    cell = Cell("power-off", "power-off", 1, "")
    with pytest.raises(results.ResultsError, match="holds runs of old, this is now"):
        runner.play([cell], 1.0, file, ("vipkeeper",), mix=False)
    assert blocks == []
    runner.play([cell], 1.0, file, ("vipkeeper",), mix=True)
    assert blocks == [("vipkeeper", 1)]


def test_a_refused_mix_names_some_commits_and_both_ways_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "commit", lambda: "now")
    many = {str(number): {"vipkeeper": record(commit=f"c{number}")} for number in range(9)}
    with pytest.raises(results.ResultsError) as refused:
        results.same_commit({"cells": many}, tmp_path, mix=False)
    assert str(refused.value) == (
        f"{tmp_path} holds runs of c0, c1, c2 and 6 more, this is now: --out FILE begins results of "
        "your own, --mix adds to these"
    )
