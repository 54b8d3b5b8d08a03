"""Where the time of a takeover went: phases from the daemons' traces (docs/trace.md). Pure.

Five stretches lie between a fault and a served client, each ended by one record of a trace:

| phase | ends with |
|---|---|
| detect | the new holder leaves `BACKUP`, or the old one leaves `HOLDER`, for good |
| confirm | the new holder's `Transition` to `CLAIM` |
| claim | its `AddressesDone`, `finished`: the VIP is in the kernel |
| announce | its first `Announce` after that |
| client back | the client is answered; no daemon knows that |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vipkeeper.core.actions import State
from vipkeeper.core.events import AddressOutcome
from vipkeeper.core.trace import TraceRecord
from vipkeeper.core.types import MILLISECOND, Duration, Instant
from vipkeeper.report.run import Milestones

WAITING = (State.SUSPECT.name, State.HOLDOFF.name, State.HELD.name, State.DEAF.name)
"""States between rest and a claim: in them a daemon gathers evidence or waits."""
AT_ONCE: Duration = 10 * MILLISECOND
"""Faults that are laid within such a time are one, as far as a takeover is concerned."""

Stretch = tuple[Instant, Instant]


@dataclass(frozen=True, slots=True)
class Takeover:
    """One server's claim, in nanoseconds of the trace's clock."""

    server: str
    detected: Instant
    elected: Instant
    claimed: Instant | None
    announced: Instant | None


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of a takeover, in the seconds of the act."""

    name: str
    start: float
    end: float


def takeovers(traces: Mapping[str, Sequence[TraceRecord]]) -> tuple[Takeover, ...]:
    """Every claim in the traces of one clock, by server, in order of the claims."""
    left = sorted(
        record.at
        for records in traces.values()
        for record in records
        if _moved(record, before=State.HOLDER.name)
    )
    found = [
        _takeover(server, records, index, left)
        for server, records in traces.items()
        for index, record in enumerate(records)
        if _moved(record, after=State.CLAIM.name)
    ]
    return tuple(sorted(found, key=lambda one: one.elected))


def milestones(
    traces: Mapping[str, Sequence[TraceRecord]],
    *,
    start: Instant,
    end: Instant,
    faults: Sequence[Instant] = (),
    unserved: Sequence[Stretch] = (),
) -> Milestones | None:
    """The first takeover that succeeded after the first fault, on the clock that is 0 at `start`.

    A claim that came to nothing (the kernel refused, or another server was better) is passed over, unless
    none succeeded. None: nobody claimed between fault and end.

    Args:
        faults: when something broke. Which of several a takeover answers nobody wrote down: then its phases
            begin with its detection.
        unserved: when the client had no answer. The takeover ends the last that it overlaps.
    """
    since = min(faults, default=start)
    seen = [one for one in takeovers(traces) if since <= one.elected < end]
    if not seen:
        return None
    one = next((found for found in seen if found.claimed is not None), seen[0])

    def at(instant: Instant | None) -> float | None:
        return None if instant is None else round((instant - start) / 1e9, 6)

    detected = max(one.detected, since)
    last = max(one.elected, one.claimed or 0, one.announced or 0)
    before = [fault for fault in faults if fault <= one.elected]
    cause = min(before) if before and max(before) - min(before) <= AT_ONCE else None
    back = max((to for begin, to in unserved if begin <= last and to >= one.elected), default=end)
    return Milestones(
        server=one.server,
        fault=at(cause),
        detected=(detected - start) / 1e9,
        elected=(one.elected - start) / 1e9,
        claimed=at(one.claimed),
        announced=at(one.announced),
        back=at(max(back, last)) if back < end else None,
    )


def phases(found: Milestones) -> tuple[Phase, ...]:
    """The stretches that are known, in order; one whose end nobody saw is left out with all after it."""
    ends = (
        ("detect", found.detected),
        ("confirm", found.elected),
        ("claim", found.claimed),
        ("announce", found.announced),
        ("client back", found.back),
    )
    listed: list[Phase] = []
    begin = found.fault
    for name, end in ends:
        if end is None:
            break
        if begin is not None:
            listed.append(Phase(name, begin, max(begin, end)))
        begin = end if begin is None else max(begin, end)
    return tuple(listed)


def _takeover(
    server: str, records: Sequence[TraceRecord], index: int, left: Sequence[Instant]
) -> Takeover:
    elected = records[index].at
    detected = _detected(records, index)
    # A holder that gives the VIP away has noticed before the server that it gives it to.
    given = [at for at in left if at <= elected]
    if detected == elected and given:
        detected = given[-1]
    claimed = announced = None
    for record in records[index + 1 :]:
        if record.type == "AddressesDone" and claimed is None:
            if record.fields.get("outcome") != AddressOutcome.DONE.name:
                break
            claimed = _number(record.fields.get("finished"), record.at)
        elif record.type == "Announce" and claimed is not None:
            announced = max(record.at, claimed)
            break
        elif _moved(record, before=State.HOLDER.name) or record.type == "Header":
            break
    return Takeover(server, detected, elected, claimed, announced)


def _detected(records: Sequence[TraceRecord], index: int) -> Instant:
    """When the server left its rest for the claim at `index`."""
    at = records[index].at
    state = records[index].fields.get("before")
    for record in reversed(records[:index]):
        if state not in WAITING or record.type == "Header":
            break
        if record.type == "Transition":
            at, state = record.at, record.fields.get("before")
    return at


def _moved(record: TraceRecord, *, before: str | None = None, after: str | None = None) -> bool:
    """Whether the record is a change of state, from or to the one named."""
    if record.type != "Transition":
        return False
    was, now = record.fields.get("before"), record.fields.get("after")
    return was != now and before in (None, was) and after in (None, now)


def _number(value: object, otherwise: Instant) -> Instant:
    return value if type(value) is int and value >= 0 else otherwise
