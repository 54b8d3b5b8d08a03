"""A soak as data: hours of random faults from a seed, and what came of them (docs/soak.md)."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from vipkeeper.report.json import ReportError, read_value
from vipkeeper.report.run import Span

SCHEMA_VERSION = 1
STRIP = 600.0
"""Seconds of one strip in picture and text."""


@dataclass(frozen=True, slots=True)
class SoakFault:
    """Something was done to the cluster, from `start` to `end`."""

    start: float
    end: float
    kind: str
    server: str | None = None
    stood_still: float | None = None
    """Seconds for which the host, or a stand-in, stood still, where what the act must show was not judged for that."""


@dataclass(frozen=True, slots=True)
class SoakSkip:
    """A fault that was drawn and could not be played on this host."""

    at: float
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class SoakOutage:
    """The client was not served from `start` to `end`."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class SoakMove:
    """The VIP came to another server."""

    at: float
    server: str
    before: str | None = None


@dataclass(frozen=True, slots=True)
class SoakViolation:
    """A promise was broken."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class SoakPart:
    """What was played at one go, and on what."""

    at: float
    """Where in the soak it begins."""
    started: str
    """Wall clock, RFC 3339, UTC."""
    conditions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Soak:
    """A whole soak. Times are seconds from `started`, on a clock that does not jump."""

    seed: int
    started: str
    """Wall clock, RFC 3339, UTC."""
    hours: float
    """How long it was to go on."""
    faults: tuple[SoakFault, ...]
    outages: tuple[SoakOutage, ...]
    moves: tuple[SoakMove, ...]
    violations: tuple[SoakViolation, ...]
    manager: str = "vipkeeper"
    tool_version: str = ""
    seconds: float | None = None
    """How long it did go on; null: all of `hours`."""
    probe_ms: float | None = None
    """Milliseconds between two questions of the client: the resolution of an outage."""
    drawn: int = 0
    """How many faults of the seed's list are over, skipped ones too: with the next one it goes on."""
    quiet: bool = False
    """Nothing was to be broken."""
    interval_ms: int | None = None
    """Milliseconds between two adverts."""
    settings: tuple[str, ...] = ()
    """More lines of cluster.yaml."""
    pairs: bool = False
    """Every fourth fault is two at once."""
    parts: tuple[SoakPart, ...] = ()
    skipped: tuple[SoakSkip, ...] = ()
    """Drawn and not played, and not among `faults`."""
    schema_version: int = SCHEMA_VERSION

    @property
    def length(self) -> float:
        """Seconds that were played."""
        return self.hours * 3600 if self.seconds is None else self.seconds

    @property
    def unjudged(self) -> tuple[float, ...]:
        """Of each fault of which it was not judged what it must show: how long the host stood still, seconds."""
        found = (fault.stood_still for fault in self.faults)
        return tuple(still for still in found if still is not None)

    @property
    def lacking(self) -> dict[tuple[str, str], int]:
        """How often each fault was skipped for each reason."""
        return dict(Counter((skip.kind, skip.reason) for skip in self.skipped))

    def fault_of(self, outage: SoakOutage) -> SoakFault | None:
        """The first fault that an outage overlaps, else the last one before it; None before all of them.

        A fault may be noted a moment after the client felt it.
        """
        begun = [fault for fault in self.faults if fault.start <= outage.end]
        during = [fault for fault in begun if fault.end >= outage.start]
        return min(during, key=_start) if during else max(begun, key=_start, default=None)

    @property
    def longest(self) -> float:
        """The longest outage, seconds; 0 when there was none."""
        return max((outage.end - outage.start for outage in self.outages), default=0.0)


def _start(fault: SoakFault) -> float:
    return fault.start


def load_soak(text: str) -> Soak:
    """The soak in a JSON text.

    Raises:
        ReportError: not JSON, not a soak, of another schema version, or out of range; names the place.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ReportError("not JSON; expected a soak.json") from None
    found = read_value(Soak, document, "")
    assert isinstance(found, Soak)
    if found.schema_version != SCHEMA_VERSION:
        raise ReportError(
            f"schema_version: found {found.schema_version}, this program reads {SCHEMA_VERSION}"
        )
    if found.length > 1000 * 3600:
        raise ReportError("hours: more than 1000")
    for name in ("faults", "outages"):
        for index, one in enumerate(getattr(found, name)):
            if one.end < one.start:
                raise ReportError(f"{name}[{index}]: ends before it starts")
    return found


def dump_soak(soak: Soak) -> str:
    """The soak as JSON text, ASCII only, the same bytes for the same soak."""
    document: dict[str, Any] = {"schema_version": soak.schema_version}
    return json.dumps(document | dataclasses.asdict(soak), indent=1, allow_nan=False) + "\n"


def strips(soak: Soak) -> tuple[Span, ...]:
    """The soak in pieces of ten minutes; the last may be shorter, and there is at least one."""
    count = max(-(-int(soak.length * 1000) // int(STRIP * 1000)), 1)
    return tuple(
        Span(index * STRIP, max(min((index + 1) * STRIP, soak.length), index * STRIP + 1))
        for index in range(count)
    )
