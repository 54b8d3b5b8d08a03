"""What was so from when to when, read from the records of a trace. Total: what has another form is passed over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from vipkeeper.core.trace import TraceRecord
from vipkeeper.core.types import MILLISECOND, SECOND, Instant
from vipkeeper.report.run import MarkerKind, Span

SILENCE = 3
"""Advert intervals after the last advert of a holder up to which it counts as holding."""


@dataclass(slots=True)
class Spans:
    """When something was so."""

    since: Instant | None = None
    spans: list[tuple[Instant, Instant]] = field(default_factory=list)

    def set(self, at: Instant, on: bool) -> None:
        """From now on it is so, or not."""
        if on and self.since is None:
            self.since = at
        elif not on and self.since is not None:
            self.spans.append((self.since, max(at, self.since)))
            self.since = None

    def extend(self, at: Instant, until: Instant) -> None:
        """It is so up to an instant; joined to the last stretch where they touch."""
        if self.spans and at <= self.spans[-1][1]:
            at = self.spans.pop()[0]
        self.spans.append((at, until))

    def stop(self, at: Instant) -> None:
        """It is no longer so, whatever was said of the time to come."""
        if self.spans and self.spans[-1][1] > at:
            begin = self.spans.pop()[0]
            self.spans.append((min(begin, at), at))

    def within(self, start: Instant, end: Instant) -> tuple[Span, ...]:
        """As spans of a report, seconds from `start`."""
        every = [*self.spans, *([(self.since, end)] if self.since is not None else [])]
        cut = ((max(a, start), min(b, end)) for a, b in every)
        return tuple(Span((a - start) / SECOND, (b - start) / SECOND) for a, b in cut if b > a)


@dataclass(slots=True)
class Seen:
    """Everything a trace tells of who held the VIP."""

    names: dict[str, None] = field(default_factory=dict)
    """Servers in the order in which they appear."""
    held: dict[str, Spans] = field(default_factory=lambda: defaultdict(Spans))
    answered: dict[str, Spans] = field(default_factory=lambda: defaultdict(Spans))
    said: dict[str, Spans] = field(default_factory=lambda: defaultdict(Spans))
    faults: dict[str, Spans] = field(default_factory=lambda: defaultdict(Spans))
    faults_at: list[Instant] = field(default_factory=list)
    unserved: Spans = field(default_factory=Spans)
    probed: bool = False
    """The trace says who served the client."""
    observed: bool = False
    """The trace says who answered on the wire."""
    markers: list[tuple[Instant, MarkerKind, str, str | None]] = field(default_factory=list)


def watch(records: Iterable[TraceRecord], server: str) -> Seen:
    """Read the records of one clock; those without a writer are of `server`."""
    seen = Seen()
    operations: dict[tuple[str, Any], Any] = {}
    facts = False
    for record in records:
        writer, at, fields = record.writer or server, record.at, record.fields
        match record.type:
            case "VipChanged" | "AnswersChanged" | "ServedChanged" | "FaultInjected":
                facts = True
                _fact(seen, record)
            case "ChangeAddresses":
                operations[writer, _key(fields.get("id"))] = fields.get("operation")
            case "AddressesDone" if not facts:
                operation = operations.pop((writer, _key(fields.get("id"))), None)
                _addresses(seen, writer, at, operation, fields)
            case "Started" | "HostObserved" if not facts:
                _host(seen, writer, at, fields.get("host"))
            case "AdvertReceived" if record.writer is None:
                _advert(seen, at, fields)
            case _:
                pass
    return seen


def _key(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _fact(seen: Seen, record: TraceRecord) -> None:
    """What simulator or lab wrote of the world."""
    fields, at = record.fields, record.at
    name = fields.get("server")
    server = name if isinstance(name, str) else None
    match record.type:
        case "VipChanged" if server is not None:
            _hold(seen, server, at, fields.get("present") is True)
        case "AnswersChanged" if server is not None:
            seen.names.setdefault(server)
            seen.observed = True
            seen.answered[server].set(at, fields.get("answers") is True)
        case "ServedChanged":
            seen.probed = True
            seen.unserved.set(at, server is None)
            if server is not None:
                seen.markers.append(
                    (at, MarkerKind.CLIENT_BACK, f"client served by {server}", server)
                )
        case "FaultInjected":
            began, kind = fields.get("began") is True, str(fields.get("kind"))
            seen.faults[f"{kind} {server} {fields.get('detail')}"].set(at, began)
            if began:
                seen.faults_at.append(at)
            what = MarkerKind.FAULT if began else MarkerKind.HEALED
            seen.markers.append((at, what, kind.replace("_", " ").lower(), server))
        case _:
            pass


def _addresses(
    seen: Seen, writer: str, at: Instant, operation: Any, fields: dict[str, Any]
) -> None:
    """What a daemon did with the addresses of its host."""
    finished = fields.get("finished")
    when = finished if type(finished) is int else at
    outcome = fields.get("outcome")
    if outcome == "LAPSED" or (outcome == "DONE" and operation == "REMOVE"):
        _hold(seen, writer, when, False)
    elif outcome == "DONE":
        _hold(seen, writer, when, True)


def _host(seen: Seen, writer: str, at: Instant, host: Any) -> None:
    """What a daemon's kernel had."""
    seen.names.setdefault(writer)
    vips = host.get("vips") if isinstance(host, dict) else None
    if isinstance(vips, list) and vips and isinstance(vips[0], dict):
        _hold(seen, writer, at, vips[0].get("state") != "ABSENT")


def _advert(seen: Seen, at: Instant, fields: dict[str, Any]) -> None:
    """What another server says of itself."""
    advert, source = fields.get("advert"), fields.get("source")
    if not isinstance(advert, dict) or not isinstance(source, str):
        return
    seen.names.setdefault(source)
    interval = advert.get("interval_ms")
    if advert.get("role") == "HOLDER":
        pause = interval if type(interval) is int and 0 < interval <= 60_000 else 100
        seen.said[source].extend(at, at + SILENCE * pause * MILLISECOND)
    else:
        seen.said[source].stop(at)


def _hold(seen: Seen, server: str, at: Instant, on: bool) -> None:
    seen.names.setdefault(server)
    if on != (seen.held[server].since is not None):
        kind = MarkerKind.CLAIMED if on else MarkerKind.RELEASED
        seen.markers.append((at, kind, f"VIP {'on' if on else 'off'} {server}", server))
    seen.held[server].set(at, on)
