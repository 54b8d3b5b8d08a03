"""A stretch of a run as one act of a report, so that it can be drawn like one of the lab."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

from vipkeeper.core.facts import (
    AnswersChanged,
    Fact,
    FaultInjected,
    ServedChanged,
    VipChanged,
)
from vipkeeper.core.invariants.violation import Violation
from vipkeeper.core.types import SECOND, Duration, Instant
from vipkeeper.report.run import ActResult, Client, Lane, Marker, MarkerKind, Verdict
from vipkeeper.report.trace_spans import Spans
from vipkeeper.sim.faults import Plan
from vipkeeper.sim.run import play

BEFORE: Duration = 20 * SECOND
AFTER: Duration = 3 * SECOND
NOT_PROBED = Client(0.0, 0, 0, ())


def act(plan: Plan, violation: Violation) -> ActResult:
    """Play the plan again and record the seconds around a violation."""
    start = max(0, violation.at - BEFORE)
    seen = watch(plan, start, min(plan.length, violation.at + AFTER))
    return dataclasses.replace(
        seen,
        name=f"seed {plan.seed}",
        title=violation.invariant,
        story=violation.text,
        verdict=Verdict.FAILED,
        reason=violation.text,
    )


def watch(plan: Plan, start: Instant, end: Instant) -> ActResult:
    """Play a plan and record what happened between two instants; the verdict is open."""
    held = {name: Spans() for name in plan.names}
    answered = {name: Spans() for name in plan.names}
    faults: dict[str, Spans] = {}
    unserved = Spans()
    unserved.set(0, True)
    markers: list[Marker] = []

    def see(at: Instant, fact: Fact) -> None:
        match fact:
            case VipChanged(server, present):
                held[server].set(at, present)
                kind = MarkerKind.CLAIMED if present else MarkerKind.RELEASED
                mark(at, kind, kind.value, server)
            case AnswersChanged(server, answers):
                answered[server].set(at, answers)
            case ServedChanged(server):
                unserved.set(at, server is None)
            case FaultInjected(kind, server, began, detail):
                faults.setdefault(detail, Spans()).set(at, began)
                what = MarkerKind.FAULT if began else MarkerKind.HEALED
                mark(at, what, kind.value, server)
            case _:
                pass

    def mark(at: Instant, kind: MarkerKind, text: str, server: str | None) -> None:
        if start <= at <= end:
            markers.append(Marker((at - start) / SECOND, kind, text, server))

    play(plan, see, until=end)
    gaps = unserved.within(start, end)
    longest = max((gap.end - gap.start for gap in gaps), default=0.0)
    lanes = tuple(
        Lane(name, held[name].within(start, end), answered[name].within(start, end))
        for name in plan.names
    )
    return ActResult(
        name="",
        title="",
        story="",
        run=1,
        length=(end - start) / SECOND,
        verdict=Verdict.PASSED,
        reason="",
        outage_ms=longest * 1000,
        service_outage_ms=None,
        two_holders_ms=_two(lanes) * 1000,
        left_behind=False,
        moves=_moves(lanes, markers),
        lanes=lanes,
        udp=Client(0.001, 1, 0, gaps),
        tls=NOT_PROBED,
        faults=tuple(s for spans in faults.values() for s in spans.within(start, end)),
        markers=tuple(markers),
    )


def _two(lanes: Sequence[Lane]) -> float:
    """Seconds in which more than one server answered."""
    edges = sorted(
        edge
        for lane in lanes
        for span in lane.answered
        for edge in ((span.start, 1), (span.end, -1))
    )
    total, since, count = 0.0, 0.0, 0
    for at, step in edges:
        if count > 1:
            total += at - since
        since, count = at, count + step
    return total


def _moves(lanes: Sequence[Lane], markers: Sequence[Marker]) -> int:
    """How often the VIP came to another server than the one before."""
    first = [lane.server for lane in lanes if any(span.start == 0 for span in lane.held)]
    order = first + [m.server for m in markers if m.kind is MarkerKind.CLAIMED and m.server]
    return sum(1 for before, after in pairwise(order) if before != after)
