"""Traces, results of a bench and soaks as what can be drawn."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.pictures import TRACE, drawings, traced
from unit.report.sample import FULL, SOAK
from vipkeeper.cli.main import main
from vipkeeper.report import html
from vipkeeper.report.bench import Series, load_bench
from vipkeeper.report.json import ReportError, dump_run
from vipkeeper.report.pictures import soak_page, soak_text
from vipkeeper.report.recorded import load_recorded
from vipkeeper.report.run import RunReport
from vipkeeper.report.soak import (
    SoakFault,
    SoakOutage,
    SoakPart,
    SoakSkip,
    dump_soak,
    load_soak,
    strips,
)
from vipkeeper.report.svg_outages import curves, figures
from vipkeeper.report.svg_soak import overview
from vipkeeper.report.terminal import render_run


def test_a_daemons_trace_shows_its_own_kernel_and_what_others_said() -> None:
    (act,) = traced().acts
    lanes = {lane.server: lane for lane in act.lanes}
    assert len(lanes["cp2"].held) == 1
    assert lanes["10.77.0.11"].said
    assert not lanes["10.77.0.13"].said
    assert act.milestones is not None
    assert act.milestones.server == "cp2"
    assert not act.observed


def test_a_trace_whose_last_line_is_cut_short_is_drawn() -> None:
    found = load_recorded(TRACE.read_text()[:-40])
    assert isinstance(found, RunReport)
    assert "1 lines are no records" in found.notes


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "t": st.integers(-5, 1 << 70),
                "type": st.sampled_from(
                    ["Transition", "AdvertReceived", "AddressesDone", "VipChanged", "HostObserved",
                     "FaultInjected", "ServedChanged", "AnswersChanged", "Header", "Announce"]
                ),
            },
            optional={
                "server": st.none() | st.text(max_size=3) | st.integers(),
                "host": st.none() | st.just({"vips": [3]}) | st.just({"vips": [{"state": 1}]}),
                "advert": st.none() | st.just({"role": "HOLDER", "interval_ms": "x"}),
                "source": st.text(max_size=3) | st.lists(st.none()),
                "outcome": st.sampled_from(["DONE", "LAPSED", 4]),
                "finished": st.integers() | st.text(max_size=2),
                "after": st.sampled_from(["CLAIM", "HOLDER", 3, None, []]),
                "before": st.sampled_from(["BACKUP", "SUSPECT", {}]),
                "present": st.booleans(),
                "id": st.lists(st.integers()) | st.integers(),
            },
        ),
        min_size=1,
        max_size=12,
    )
)  # fmt: skip
def test_any_trace_is_drawn_or_refused(records: list[dict[str, object]]) -> None:
    text = "\n".join(json.dumps(record) for record in records)
    try:
        found = load_recorded(text)
    except ReportError:
        return
    assert isinstance(found, RunReport)


def test_quantiles_are_measured_values() -> None:
    series = Series("x", (1.0, 2.0, 3.0, 100.0))
    assert [series.quantile(share) for share in (0.5, 0.95, 1.0)] == [2.0, 100.0, 100.0]


def test_a_curve_tells_of_two_holders_beside_its_short_outage() -> None:
    runs = [{"outage_ms": value, "two_holders_ms": 5.0} for value in (0.0, 3.0, 4.0)]
    (cell,) = load_bench(json.dumps({"cells": {"c": {"keepalived": {"blocks": [{"runs": runs}]}}}}))
    assert "two servers answered at once in 3 runs" in curves(cell)


def test_an_outage_that_did_not_end_by_itself_is_not_drawn_as_over() -> None:
    ended = [{"outage_ms": 6000.0, "unended": []}, {"outage_ms": 12000.0, "unended": []}]
    never = [{"outage_ms": 11000.0, "unended": ["outage_ms"]}] * 2
    blocks = [{"runs": ended + never}]
    (cell,) = load_bench(json.dumps({"cells": {"c": {"keepalived": {"blocks": blocks}}}}))
    (one,) = cell.series
    assert one.runs == 4
    assert figures(one) == "n 4, median 12.00 s, p95 > 11.00 s, max > 11.00 s"
    assert "in 2 runs it did not end by itself" in curves(cell)
    (drawn,) = re.findall(r'<path class="curve" d="(M44[^"]*)"', curves(cell))
    assert drawn.count("V") == 2, "a step for each run that was over"


@pytest.mark.parametrize(
    ("cell", "metric"),
    [("fault/api-frozen", "service_outage_ms"), ("fault/power-off", "outage_ms")],
)
def test_what_a_dead_api_server_costs_is_the_service(cell: str, metric: str) -> None:
    runs = [{"outage_ms": 5.0, "service_outage_ms": 7725.0}]
    (found,) = load_bench(
        json.dumps({"cells": {cell: {"vipkeeper": {"blocks": [{"runs": runs}]}}}})
    )
    assert found.metric == metric


@pytest.mark.parametrize("text", ["[]", "{}", '{"cells": 3}', "{"])
def test_what_is_no_result_is_refused(text: str) -> None:
    with pytest.raises(ReportError):
        load_bench(text)


def test_a_soak_survives_being_written() -> None:
    parts = (SoakPart(0.0, "2026-01-02T03:04:05Z", {"cores": "2"}),)
    skipped = (SoakSkip(0.5, "clock-steps", "libfaketime is not installed"),)
    for soak in (SOAK, replace(SOAK, parts=parts), replace(SOAK, skipped=skipped)):
        assert load_recorded(dump_soak(soak)) == soak
    assert [span.start for span in strips(SOAK)] == [600.0 * n for n in range(9)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "this program reads 1"),
        ({"hours": 2000}, "more than 1000"),
        ({"faults": [{"start": 3, "end": 1, "kind": "x"}]}, r"faults\[0\]: ends before it starts"),
        ({"moves": [{"at": 1}]}, r"moves\[0\].server: missing"),
    ],
)
def test_a_damaged_soak_is_refused_by_name(change: dict[str, object], message: str) -> None:
    with pytest.raises(ReportError, match=message):
        load_soak(json.dumps(json.loads(dump_soak(SOAK)) | change))


def test_every_picture_has_words_for_those_who_do_not_see_it() -> None:
    for name, drawing in drawings().items():
        words = drawing.split("<desc")[1].split(">", 1)[1].split("</desc>")[0]
        assert len(words) > 40, name


@pytest.mark.parametrize("kind", ["trace", "soak", "bench"])
def test_the_verb_draws_all_of_them(kind: str, tmp_path: Path) -> None:
    results = {"cells": {"c": {"x": {"blocks": [{"runs": [{"outage_ms": 4.0}]}]}}}}
    texts = {"trace": TRACE.read_text(), "soak": dump_soak(SOAK), "bench": json.dumps(results)}
    path = tmp_path / "file"
    path.write_text(texts[kind])
    files = [f"--output={form}={tmp_path / form}" for form in ("svg", "html", "text")]
    assert main(["report", str(path), *files]) == 0
    assert (tmp_path / "svg").read_text().startswith("<svg ")
    assert (tmp_path / "html").read_text().startswith("<!doctype html>")


def test_a_run_without_traces_has_no_phases(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.json"
    path.write_text(dump_run(FULL))
    assert main(["report", str(path), "--picture", "phases", "--output", "svg"]) == 2
    assert "no act of the record has a takeover" in capsys.readouterr().err


def test_a_soak_says_which_faults_were_skipped_how_often_and_why() -> None:
    skips = [SoakSkip(3.0, "thaw", "no cgroup v2")]
    skips += [SoakSkip(9.0 * n, "strangers", "'keepalived' is not installed") for n in range(3)]
    soak = replace(SOAK, violations=(), skipped=tuple(skips))
    text = soak_text(soak)
    assert f"{len(SOAK.faults)} faults, 4 skipped, " in text
    assert text.splitlines()[-2:] == [
        "  skipped 3 times: strangers: 'keepalived' is not installed",
        "  skipped once: thaw: no cgroup v2",
    ]
    for narrow in (False, True):
        drawn = " ".join(re.findall(r"<text[^>]*>([^<]+)<", overview(soak, narrow=narrow)))
        assert "skipped 3 times: strangers:" in drawn
        assert "skipped once: thaw: no cgroup v2" in drawn
    assert "skipped once: thaw" in soak_page(soak)
    assert "skipped" not in soak_text(SOAK) + overview(SOAK)
    many = replace(SOAK, skipped=tuple(SoakSkip(1.0, f"act-{n}", "no") for n in range(9)))
    assert "  skipped: 4 more, named in the record" in soak_text(many).splitlines()


def test_a_soak_says_how_many_faults_were_not_judged_and_why() -> None:
    faults = tuple(replace(fault, stood_still=1.3) for fault in SOAK.faults[:2])
    kept = replace(SOAK, faults=SOAK.faults[:5], violations=(), seconds=180.0)
    assert "every promise was kept" in soak_text(kept)
    text = soak_text(replace(kept, faults=(*faults, *SOAK.faults[2:5])))
    assert "0.05 h" in text
    assert "5 faults (2 not judged)" in text
    assert "every promise was kept" not in text
    assert "what 2 faults must show was not judged: the host stood still for up to 1300 ms" in text


def test_a_soak_names_the_faults_of_its_longest_outages() -> None:
    soak = replace(
        SOAK,
        faults=(SoakFault(10.0, 14.0, "loss", "cp1"), SoakFault(30.0, 31.0, "power-off")),
        # The client felt the loss of power a moment before it was noted.
        outages=(SoakOutage(2.0, 2.05), SoakOutage(29.98, 30.28), SoakOutage(14.5, 15.5)),
        violations=(),
    )
    said = "longest waits: 1000 ms at 0:00:14 (after loss), 300 ms at 0:00:29 (power-off), "
    said += "50 ms at 0:00:02 (before the first fault)"
    assert f"  {said}" in soak_text(soak).splitlines()
    assert " 2 faults of 2 kinds, " in soak_text(soak)
    assert said in overview(soak)
    assert "longest waits" not in soak_text(replace(soak, outages=()))


def test_the_page_of_a_soak_says_everything_once() -> None:
    head = f"{len(SOAK.faults)} faults, "
    shown = re.sub(r"<desc.*?</desc>|<title.*?</title>", "", soak_page(SOAK), flags=re.DOTALL)
    assert shown.count(head) == 1
    assert overview(SOAK).count(head) == 2


def test_a_trace_is_not_headed_as_a_drill() -> None:
    report = load_recorded(TRACE.read_text())
    assert isinstance(report, RunReport)
    head = render_run(report, ascii=True, color=False, width=100).splitlines()[0]
    assert head.startswith(f"trace of vipkeeper {report.tool_version}: ")
    assert "acts passed" not in html.page(report)
