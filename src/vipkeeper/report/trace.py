"""A trace (docs/trace.md) as a run that can be drawn: one act for each stretch in which something happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from vipkeeper.core.actions import Cause
from vipkeeper.core.invariants.checker import OWN, Checker
from vipkeeper.core.invariants.reading import PATIENCE, REST, Reader
from vipkeeper.core.trace import Header, TraceRecord, TraceRejection, parse
from vipkeeper.core.types import SECOND, Duration, Instant
from vipkeeper.report.json import ReportError
from vipkeeper.report.phases import milestones
from vipkeeper.report.run import ActResult, Client, Lane, Marker, MarkerKind, RunReport, Verdict
from vipkeeper.report.summary import answered_twice
from vipkeeper.report.trace_spans import Seen, watch

QUIET: Duration = 30 * SECOND
"""Two changes of state further apart belong to two acts."""
BEFORE: Duration = 2 * SECOND
AFTER: Duration = 5 * SECOND
"""What is drawn around the first and the last change of an act."""
MOST = 50
"""Acts of a report: the newest."""
MARKED = 40
"""Markers of an act."""
BROKEN = 5
"""Broken promises named."""
LAB = "lab"
"""Whose header the trace of an act begins with."""
OF_NOTE = ("Transition", "FaultInjected", "VipChanged")
"""Types of record that make an act."""


def load_trace(text: str) -> RunReport:
    """The newest stretches of a trace; a line that is cut short or foreign is passed over.

    Raises:
        ReportError: no line is a record, a header is of another schema version, or nothing happened.
    """
    found = [parse(line) for line in text.splitlines() if line.strip()]
    if TraceRejection.UNKNOWN_SCHEMA in found:
        raise ReportError("a trace of another schema version; use the vipkeeper that wrote it")
    records = [one for one in found if isinstance(one, TraceRecord) and 0 <= one.at < 1 << 63]
    if not records:
        raise ReportError("no line is a record of a trace")
    server, tool = _header(records)
    # A reboot starts the clock again: what follows is another piece.
    pieces = _pieces(records)
    acts = [
        _act(server, piece, start, end, number)
        for number, (piece, start, end) in enumerate(_episodes(pieces), start=1)
    ]
    if not acts:
        raise ReportError("the trace has no change of state: nothing to draw")
    notes = ["drawn from a trace: what its writer was told and did; nobody observed the wire"]
    if len(acts) > MOST:
        notes.append(f"the last {MOST} of {len(acts)} stretches with a change of state")
    notes += _promises(pieces)
    passed_over = len(found) - len(records)
    if passed_over:
        notes.append(f"{passed_over} lines are no records")
    return RunReport(
        tool_version=tool,
        started_at="",
        manager="vipkeeper",
        conditions={"trace of": server, "clock": "CLOCK_BOOTTIME of its host"},
        acts=tuple(acts[-MOST:]),
        notes=tuple(notes),
    )


def _promises(pieces: Sequence[Sequence[TraceRecord]]) -> list[str]:
    """What the predicates say: all of them of a lab or simulator, those about itself of a single daemon."""
    checked: set[str] = set()
    broken: list[str] = []
    for piece in pieces:
        checker = _checker(piece)
        reader = Reader(checker)
        for record in piece:
            reader.record(record)
        violations = reader.finish() if checker.situation.servers else []
        broken += [f"{one.invariant} at {one.at / SECOND:.3f} s: {one.text}" for one in violations]
        if checker.situation.servers:
            checked |= {invariant.id for invariant in checker.invariants}
    if not checked:
        return ["promises not checked: the trace does not say its writer's settings"]
    more = [f"{len(broken) - BROKEN} more"] if len(broken) > BROKEN else []
    listed = ["; ".join([*broken[:BROKEN], *more])] if broken else []
    kept = "none broken" if not broken else "broken"
    return [": ".join([f"promises checked ({' '.join(sorted(checked))})", kept, *listed])]


def _checker(piece: Sequence[TraceRecord]) -> Checker:
    if not any(record.writer for record in piece):
        return Checker(OWN)
    kinds = {record.fields.get("server") for record in piece if record.type == Header.__name__}
    return Checker(patience=PATIENCE, rest=REST) if LAB in kinds else Checker()


def _header(records: Sequence[TraceRecord]) -> tuple[str, str]:
    """Who wrote the trace, and with which version."""
    for record in records:
        if record.type == Header.__name__:
            return str(record.fields.get("server", "?")), str(record.fields.get("tool", ""))
    return "this server", ""


def _pieces(records: Sequence[TraceRecord]) -> list[list[TraceRecord]]:
    pieces = [[records[0]]]
    for before, record in pairwise(records):
        if record.at < before.at - SECOND:
            pieces.append([])
        pieces[-1].append(record)
    return pieces


def _episodes(
    pieces: Iterable[Sequence[TraceRecord]],
) -> Iterable[tuple[Sequence[TraceRecord], Instant, Instant]]:
    """Stretches with changes, from a little before the first to a little after the last."""
    for piece in pieces:
        times = [record.at for record in piece if record.type in OF_NOTE]
        first, last = piece[0].at, max(record.at for record in piece)
        while times:
            end = next(
                (i for i, (a, b) in enumerate(pairwise(times), 1) if b - a > QUIET), len(times)
            )
            yield piece, max(first, times[0] - BEFORE), min(last, times[end - 1] + AFTER) + 1
            times = times[end:]


def _act(
    server: str, piece: Sequence[TraceRecord], start: Instant, end: Instant, number: int
) -> ActResult:
    seen = watch(piece, server)
    by_server: dict[str, list[TraceRecord]] = {}
    for record in piece:
        by_server.setdefault(record.writer or server, []).append(record)
    lanes = tuple(
        Lane(
            name,
            held=seen.held[name].within(start, end),
            answered=seen.answered[name].within(start, end),
            said=seen.said[name].within(start, end),
        )
        for name in seen.names
    )
    gaps = seen.unserved.within(start, end) if seen.probed else ()
    faults = [at for at in seen.faults_at if start <= at < end]
    unserved = [(round(g.start * SECOND) + start, round(g.end * SECOND) + start) for g in gaps]
    longest = max((gap.end - gap.start for gap in gaps), default=0.0)
    told = [record for record in piece if record.type == "Transition" and start <= record.at < end]
    return ActResult(
        name=f"stretch-{number}",
        title=_title(told, server),
        story=f"From {start / SECOND:.3f} s on the clock of the trace.",
        run=1,
        length=(end - start) / SECOND,
        verdict=Verdict.RECORDED,
        reason="",
        outage_ms=longest * 1000 if seen.probed else None,
        service_outage_ms=None,
        two_holders_ms=answered_twice(lanes) * 1000,
        left_behind=False,
        moves=sum(lane.held[0].start > 0 for lane in lanes if lane.held),
        lanes=lanes,
        udp=Client(0.001, 1, 0, gaps) if seen.probed else Client(0.0, 0, 0, ()),
        tls=Client(0.0, 0, 0, ()),
        faults=tuple(span for spans in seen.faults.values() for span in spans.within(start, end)),
        markers=_markers(seen, told, server, start, end),
        milestones=milestones(by_server, start=start, end=end, faults=faults, unserved=unserved),
        observed=seen.observed,
    )  # fmt: skip


def _title(told: Sequence[TraceRecord], server: str) -> str:
    """`cp1: BACKUP, SUSPECT, CLAIM, HOLDER`, by the first server that moved."""
    if not told:
        return "The VIP moves"
    writer = told[0].writer
    own = [record for record in told if record.writer == writer]
    states = [str(own[0].fields.get("before"))] + [str(r.fields.get("after")) for r in own]
    shown = states if len(states) <= 7 else [*states[:3], "…", *states[-3:]]
    return f"{writer or server}: {', '.join(shown).lower()}"


def _markers(
    seen: Seen, told: Sequence[TraceRecord], server: str, start: Instant, end: Instant
) -> tuple[Marker, ...]:
    marks = [
        Marker((at - start) / SECOND, kind, text, name)
        for at, kind, text, name in seen.markers
        if start <= at < end
    ]
    marks += [
        Marker(
            (record.at - start) / SECOND, MarkerKind.STATE, _moved(record), record.writer or server
        )
        for record in told
        if record.fields.get("after") in ("RELEASE", "HOLDOFF", "DEAF", "BLOCKED", "STANDBY")
    ]
    marks.sort(key=lambda mark: mark.at)
    return tuple(marks[:MARKED])


def _moved(record: TraceRecord) -> str:
    cause = record.fields.get("cause")
    why = next((member.value for member in Cause if member.name == cause), str(cause))
    return f"{str(record.fields.get('after')).lower()}, {why}"
