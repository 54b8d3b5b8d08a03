"""Recorded runs to draw: a power-off that went well and a frozen daemon that did not."""

from __future__ import annotations

from dataclasses import replace

from vipkeeper.report.run import (
    API_LATE,
    LATE,
    ActResult,
    Client,
    Expectation,
    Lane,
    Marker,
    MarkerKind,
    Milestones,
    Network,
    RunReport,
    Span,
    Station,
    StationRole,
    Verdict,
)
from vipkeeper.report.soak import Soak, SoakFault, SoakMove, SoakOutage, SoakViolation

CLIENT = Client(interval_ms=2, sent=2500, lost=92, gaps=(Span(1.5, 1.684),))
TLS = Client(interval_ms=20, sent=250, lost=10, gaps=(Span(1.5, 1.7),))

POWER_OFF = ActResult(
    name="power-off",
    title="The holder loses power",
    story="cp1 is cut off and its daemon killed. cp2 must claim the VIP, and nobody else.",
    run=1,
    length=5.0,
    verdict=Verdict.PASSED,
    reason="",
    outage_ms=184.0,
    service_outage_ms=200.0,
    two_holders_ms=0.0,
    left_behind=False,
    moves=1,
    lanes=(
        Lane("cp1", held=(Span(0, 3.5),), answered=(Span(0, 1.5),)),
        Lane("cp2", held=(Span(1.68, 5),), answered=(Span(1.682, 5),)),
        Lane("cp3", held=(), answered=()),
    ),
    udp=CLIENT,
    tls=TLS,
    faults=(Span(1.5, 5),),
    markers=(
        Marker(1.684, MarkerKind.CLIENT_BACK, "client answered by cp2"),
        Marker(1.5, MarkerKind.FAULT, "cp1 loses power", "cp1"),
        Marker(1.68, MarkerKind.CLAIMED, "", "cp2"),
    ),
    expectations=(
        Expectation("the VIP answers again within 420 ms", True, "184 ms"),
        Expectation("never two servers answering", True),
    ),
)

SPLIT = replace(
    POWER_OFF,
    name="freeze",
    title="The daemon is frozen (SIGSTOP)",
    story="<script>alert('1 < 2 & 3')</script>",
    verdict=Verdict.FAILED,
    reason="two servers answered",
    two_holders_ms=500.0,
    left_behind=True,
    lanes=(
        Lane("cp1", held=(Span(0, 5),), answered=(Span(0, 2.5),)),
        Lane("cp2", held=(Span(2, 5),), answered=(Span(2, 5),)),
        Lane("cp3", held=(), answered=(Span(4, 4.5),)),
    ),
    expectations=(Expectation("never two servers answering", False, "500 ms"),),
)

SKIPPED = replace(
    POWER_OFF,
    name="etcd-quorum",
    title="Two of three servers are gone",
    verdict=Verdict.SKIPPED,
    reason="no network namespaces",
    outage_ms=None,
    service_outage_ms=None,
    moves=0,
    lanes=(),
    udp=Client(0, 0, 0, ()),
    tls=Client(0, 0, 0, ()),
    faults=(),
    markers=(),
    expectations=(),
)


NETWORK = Network(
    bridge="lan",
    vip="10.77.0.100",
    stations=(
        *(Station(f"cp{n}", StationRole.SERVER, f"10.77.0.1{n}") for n in (1, 2, 3)),
        Station("router", StationRole.ROUTER, "10.77.0.1"),
        Station("client", StationRole.CLIENT, "10.77.0.200"),
        Station("observer", StationRole.OBSERVER, "10.77.0.201"),
    ),
)

TAKEOVER = replace(
    POWER_OFF,
    milestones=Milestones("cp2", 1.5, 1.61, 1.674, 1.6796, 1.6798, 1.684),
    network=NETWORK,
)
"""A power-off of which daemons wrote a trace."""

SOAK = Soak(
    seed=7,
    started="2026-01-02T03:04:05Z",
    hours=1.5,
    faults=tuple(
        SoakFault(t, t + 3 + t % 17, "power off", f"cp{t % 3 + 1}") for t in range(20, 5400, 47)
    ),
    outages=tuple(SoakOutage(t, t + 0.2 + t % 7 / 10) for t in range(20, 5400, 141)),
    moves=tuple(SoakMove(t + 0.3, f"cp{t % 2 + 1}") for t in range(20, 5400, 141)),
    violations=(SoakViolation(3671.5, "one holder at most: cp1 and cp3 answered for 212 ms"),),
    probe_ms=2.0,
)


def run_report(*acts: ActResult) -> RunReport:
    return RunReport(
        tool_version="0.1.0",
        started_at="2026-01-02T03:04:05Z",
        manager="vipkeeper",
        conditions={
            "kernel": "6.1.0",
            "cores": "2",
            "advert interval": "100 ms",
            LATE: "21.0 ms",
            API_LATE: "4.0 ms",
        },
        acts=acts,
        notes=("clock: CLOCK_BOOTTIME of the lab host",),
    )


FULL = run_report(
    POWER_OFF, replace(POWER_OFF, run=2, outage_ms=210.0), replace(POWER_OFF, run=3), SPLIT, SKIPPED
)
