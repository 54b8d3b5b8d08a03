"""A failing run as one act of a report, so that the terminal can draw it."""

from __future__ import annotations

from dataclasses import dataclass, field

from vipkeeper.core.facts import (
    AnswersChanged,
    Fact,
    FaultInjected,
    ServedChanged,
    VipChanged,
)
from vipkeeper.core.invariants.base import Violation
from vipkeeper.core.types import SECOND, Duration, Instant
from vipkeeper.report.run import ActResult, Client, Lane, Marker, MarkerKind, Span, Verdict
from vipkeeper.sim.faults import Plan
from vipkeeper.sim.run import play

BEFORE: Duration = 20 * SECOND
AFTER: Duration = 3 * SECOND
NOT_PROBED = Client(0.0, 0, 0, ())


@dataclass(slots=True)
class _Spans:
    """When something was so."""

    since: Instant | None = None
    spans: list[tuple[Instant, Instant]] = field(default_factory=list)

    def set(self, at: Instant, on: bool) -> None:
        """From now on it is so, or not."""
        if on and self.since is None:
            self.since = at
        elif not on and self.since is not None:
            self.spans.append((self.since, at))
            self.since = None

    def within(self, start: Instant, end: Instant) -> tuple[Span, ...]:
        """As spans of a report, seconds from `start`."""
        self.set(end, False)
        cut = ((max(a, start), min(b, end)) for a, b in self.spans)
        return tuple(Span((a - start) / SECOND, (b - start) / SECOND) for a, b in cut if b > a)


def act(plan: Plan, violation: Violation) -> ActResult:
    """Play the plan again and record the seconds around a violation."""
    start = max(0, violation.at - BEFORE)
    end = min(plan.length, violation.at + AFTER)
    held = {name: _Spans() for name in plan.names}
    answered = {name: _Spans() for name in plan.names}
    faults: dict[str, _Spans] = {}
    unserved = _Spans()
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
                faults.setdefault(detail, _Spans()).set(at, began)
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
    return ActResult(
        name=f"seed {plan.seed}",
        title=violation.invariant,
        story=violation.text,
        run=1,
        length=(end - start) / SECOND,
        verdict=Verdict.FAILED,
        reason=violation.text,
        outage_ms=longest * 1000,
        service_outage_ms=None,
        two_holders_ms=0.0,
        left_behind=False,
        moves=0,
        lanes=tuple(
            Lane(name, held[name].within(start, end), answered[name].within(start, end))
            for name in plan.names
        ),
        udp=Client(0.001, 1, 0, gaps),
        tls=NOT_PROBED,
        faults=tuple(s for spans in faults.values() for s in spans.within(start, end)),
        markers=tuple(markers),
    )
