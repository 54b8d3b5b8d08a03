"""Figures from recorded samples: outages, time with two holders, who held the VIP. No I/O, no clock.

Times are nanoseconds on the lab's clock; a window is half-open.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vipkeeper.lab.records import Kind, Record

MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time."""

    start: int
    end: int

    def __contains__(self, at: int) -> bool:
        return self.start <= at < self.end

    @property
    def length(self) -> int:
        """Nanoseconds."""
        return self.end - self.start


def outside(window: Window, stretches: Iterable[Window]) -> list[Window]:
    """What is left of a window without these stretches, which may lie over each other."""
    left: list[Window] = []
    start = window.start
    for one in sorted(stretches, key=lambda one: one.start):
        if one.end > start and one.start < window.end:
            left.append(Window(start, one.start))
            start = one.end
    left.append(Window(start, window.end))
    return [part for part in left if part.length > 0]


def overlap(window: Window, stretches: Iterable[Window]) -> int:
    """For how long of a window at least one of these stretches lasted; nanoseconds."""
    return window.length - sum(part.length for part in outside(window, stretches))


def joined(stretches: Iterable[Window], apart: int) -> list[Window]:
    """These stretches in order; those between which no more than so many nanoseconds lie are one."""
    found: list[Window] = []
    for one in sorted(stretches, key=lambda one: one.start):
        if found and one.start - found[-1].end <= apart:
            found[-1] = Window(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return found


@dataclass(slots=True)
class Attempts:
    """What a client asked and when it was answered."""

    interval: int
    """Nanoseconds between two attempts: the resolution."""
    patience: int
    """An answer later than this is none: it waited in a queue for the machine that had gone."""
    started: dict[int, int] = field(default_factory=dict)
    """When each attempt was made, by number."""
    answered: dict[int, int] = field(default_factory=dict)
    """When the first answer to it came."""

    def lost(self, window: Window) -> list[int]:
        """When each attempt in the window that was not answered in time was made, in order.

        An attempt younger than `patience` at the window's end is not judged.
        """
        limit = window.end - self.patience
        return sorted(
            at
            for number, at in self.started.items()
            if window.start <= at < limit
            and self.answered.get(number, at + self.patience + 1) - at > self.patience
        )

    def unanswered(self, window: Window) -> int:
        """How many attempts of the window were never answered, however late."""
        limit = window.end - self.patience
        return sum(
            window.start <= at < limit and number not in self.answered
            for number, at in self.started.items()
        )

    def sent(self, window: Window) -> int:
        """How many attempts of the window are judged."""
        limit = window.end - self.patience
        return sum(window.start <= at < limit for at in self.started.values())


def gaps(attempts: Attempts, window: Window) -> list[Window]:
    """Stretches without service: from an attempt not answered in time until the next answer of any kind.

    Answers that waited in a queue end a gap when they arrive, not when they were asked for. A gap that
    does not end ends with the window.
    """
    arrivals = sorted(attempts.answered.values())
    found: list[Window] = []
    for at in attempts.lost(window):
        if found and at < found[-1].end:
            continue
        index = bisect.bisect_right(arrivals, at)
        end = arrivals[index] if index < len(arrivals) else window.end
        found.append(Window(at, min(end, window.end)))
    return found


def outage(attempts: Attempts, window: Window) -> int:
    """The longest gap in the window, nanoseconds; 0 when every attempt was answered in time."""
    return max((gap.length for gap in gaps(attempts, window)), default=0)


def answerers(records: Iterable[Record], servers: Mapping[str, str]) -> list[tuple[int, set[str]]]:
    """For each of the observer's questions: when it was asked, and which machines answered.

    `servers` maps a MAC address (hexadecimal digits) to a server's name; a stranger keeps its MAC.
    An answer belongs to the last question asked before it.
    """
    asked: list[tuple[int, set[str]]] = []
    replies: list[tuple[int, str]] = []
    for record in records:
        if record.kind is Kind.ARP_ASKED:
            asked.append((record.at, set()))
        elif record.kind is Kind.ARP_ANSWERED:
            replies.append((record.at, servers.get(record.text, record.text)))
    asked.sort(key=lambda question: question[0])
    times = [at for at, _ in asked]
    for at, name in replies:
        index = bisect.bisect_right(times, at) - 1
        if index >= 0:
            asked[index][1].add(name)
    return asked


def two_holders(asked: Sequence[tuple[int, set[str]]], window: Window) -> int:
    """Nanoseconds in which two machines answered for the VIP (`twice_answered`)."""
    return sum(one.length for one in twice_answered(asked, window))


def twice_answered(asked: Sequence[tuple[int, set[str]]], window: Window) -> list[Window]:
    """Stretches in which two machines answered for the VIP.

    A question counts with the time to the next one when two machines answered it, or when the machine
    that answered it is another than the one which answered just before and again just after (A, B, A).
    """
    found: list[Window] = []
    for index, (at, names) in enumerate(asked[:-1]):
        if at not in window:
            continue
        before = asked[index - 1][1] if index else set()
        after = asked[index + 1][1]
        alternating = bool(names) and bool((before & after) - names)
        if len(names) > 1 or alternating:
            found.append(Window(at, asked[index + 1][0]))
    return found


def answer_spans(asked: Sequence[tuple[int, set[str]]], window: Window) -> dict[str, list[Window]]:
    """For each machine the spans in which it answered; one question without its answer ends a span."""
    spans: dict[str, list[Window]] = {}
    open_since: dict[str, int] = {}
    inside = [question for question in asked if question[0] in window]
    for at, names in inside:
        for name in list(open_since):
            if name not in names:
                spans.setdefault(name, []).append(Window(open_since.pop(name), at))
        for name in names:
            open_since.setdefault(name, at)
    for name, since in open_since.items():
        spans.setdefault(name, []).append(Window(since, window.end))
    return spans


@dataclass(frozen=True, slots=True)
class Change:
    """The VIP came to a server's kernel or left it (renewals of a lifetime are no change)."""

    at: int
    server: str
    held: bool


def changes(records: Iterable[Record]) -> list[Change]:
    """All changes in order of time."""
    holding: set[str] = set()
    found = []
    for record in sorted(_address_records(records), key=lambda r: r.at):
        held = record.kind is Kind.ADDRESS_ADDED
        if held != (record.text in holding):
            found.append(Change(record.at, record.text, held))
            (holding.add if held else holding.discard)(record.text)
    return found


def _address_records(records: Iterable[Record]) -> Iterable[Record]:
    return (r for r in records if r.kind in (Kind.ADDRESS_ADDED, Kind.ADDRESS_REMOVED))


def held_spans(
    found: Sequence[Change], servers: Iterable[str], window: Window
) -> dict[str, list[Window]]:
    """For each server the spans in which its kernel had the VIP, cut to the window."""
    spans: dict[str, list[Window]] = {server: [] for server in servers}
    since: dict[str, int] = {}
    for change in found:
        if change.held:
            since[change.server] = change.at
        elif change.server in since:
            spans[change.server].append(Window(since.pop(change.server), change.at))
    for server, at in since.items():
        spans[server].append(Window(at, window.end))
    return {
        server: [
            Window(max(span.start, window.start), min(span.end, window.end))
            for span in listed
            if span.start < window.end and span.end > window.start
        ]
        for server, listed in spans.items()
    }


def two_kernels(found: Sequence[Change], window: Window) -> int:
    """Nanoseconds in which the kernels of two servers had the VIP, heard by anybody or not."""
    return sum(one.length for one in twice_held(found, window))


def twice_held(found: Sequence[Change], window: Window) -> list[Window]:
    """Stretches in which the kernels of two servers had the VIP."""
    holding: set[str] = set()
    twice: list[Window] = []
    since = window.start
    for change in [*found, Change(window.end, "", held=False)]:
        at = min(max(change.at, window.start), window.end)
        if len(holding) > 1 and at > since:
            twice.append(Window(since, at))
        since = at
        (holding.add if change.held else holding.discard)(change.server)
    return twice


@dataclass(frozen=True, slots=True)
class Move:
    """The VIP came to another server than the one that had it last."""

    at: int
    server: str
    before: str


def moves(found: Sequence[Change], window: Window) -> list[Move]:
    """All moves of the window, in order of time.

    Of two that have the VIP the later one does, until it lets go: then the other one has it again.
    """
    having: list[str] = []
    last: str | None = None
    made: list[Move] = []
    for change in found:
        having = [server for server in having if server != change.server]
        if change.held:
            if last is not None and change.server != last and change.at in window:
                made.append(Move(change.at, change.server, last))
            having.append(change.server)
        last = having[-1] if having else last
    return made


def holders(found: Sequence[Change], at: int) -> set[str]:
    """The servers whose kernel had the VIP at an instant."""
    holding: set[str] = set()
    for change in found:
        if change.at > at:
            break
        (holding.add if change.held else holding.discard)(change.server)
    return holding
