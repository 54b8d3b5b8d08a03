"""Every kind of picture there is, drawn from what tests and the repository hold: ordinary and hard cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from unit.report.sample import FULL, NETWORK, POWER_OFF, SOAK, SPLIT, TAKEOVER, run_report
from vipkeeper.report import html, pictures
from vipkeeper.report.bench import Outages, Series, load_bench
from vipkeeper.report.run import ActResult, Marker, MarkerKind, RunReport
from vipkeeper.report.svg import timeline
from vipkeeper.report.svg_network import topology
from vipkeeper.report.svg_outages import curves
from vipkeeper.report.svg_phases import takeovers
from vipkeeper.report.svg_soak import overview
from vipkeeper.report.trace import load_trace

RESULTS = Path(__file__).resolve().parents[2] / "bench" / "results"
TRACE = Path(__file__).resolve().parents[1] / "unit" / "report" / "data" / "trace.ndjson"
CROWDED = replace(
    TAKEOVER,
    name="crowded",
    markers=tuple(
        Marker(1.5 + i / 500, MarkerKind.CLAIMED, f"event {i} with a text of some length", "cp3")
        for i in range(20)
    ),
)
RUN = run_report(TAKEOVER, replace(TAKEOVER, run=2), replace(SPLIT, milestones=TAKEOVER.milestones))


def drawings(*, narrow: bool = False) -> dict[str, str]:
    """SVG by name."""
    bench = [cell for name in ("quiet", "lab") for cell in load_bench(_text(f"{name}.json"))]
    found = {
        "timeline": timeline(TAKEOVER, narrow=narrow),
        "timeline-split": timeline(SPLIT, narrow=narrow),
        "timeline-crowded": timeline(CROWDED, narrow=narrow),
        "timeline-trace": timeline(traced().acts[-1], narrow=narrow),
        "phases": takeovers(RUN, narrow=narrow),
        "network": topology(TAKEOVER, narrow=narrow),
        "network-of-five": topology(_five(), narrow=narrow),
        "soak": overview(SOAK, narrow=narrow),
        "outages-of-eight": curves(_eight(), narrow=narrow),
    }
    return found | {
        f"outages-{cell.cell}": curves(cell, narrow=narrow)
        for cell in bench
        if len(cell.series) > 1
    }


def pages() -> dict[str, str]:
    """HTML by name."""
    return {
        "run": html.page(replace(FULL, acts=(*RUN.acts, *FULL.acts))),
        "trace": html.page(traced()),
        "soak": pictures.soak_page(SOAK),
        "bench": pictures.bench_page(load_bench(_text("quiet.json"))),
    }


def traced() -> RunReport:
    """A daemon's trace of a holder that was killed."""
    return load_trace(TRACE.read_text(encoding="utf-8"))


def _eight() -> Outages:
    """As many contenders as the head-to-head can have, two of them alike; some outages did not end."""
    names = ("best", "hasty", "default", "best-v2")
    peers = [f"{one}-{name}" for one in ("keepalived", "kube-vip") for name in names]
    series = [
        Series(
            name,
            tuple(220.0 * 2 ** (place // 2) + run for run in range(50)),
            place % 3 * 50,
            (11_000.0,) * (place % 4),
        )
        for place, name in enumerate(["vipkeeper", *peers[:7]])
    ]
    return Outages("fault/power-off", "outage_ms", tuple(series))


def _five() -> ActResult:
    more = tuple(replace(NETWORK.stations[0], name=f"cp{n}") for n in (4, 5))
    servers = (*NETWORK.stations, *more)
    return replace(POWER_OFF, network=replace(NETWORK, stations=servers))


def _text(name: str) -> str:
    return (RESULTS / name).read_text(encoding="utf-8")
