"""The picture of an act: who held the VIP, what the clients saw, and when the fault struck.

Works as a file of its own and inside an HTML page, without script and without a network.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace

from vipkeeper.report.headline import happenings, headline
from vipkeeper.report.run import ActResult, Client, Lane, Marker, MarkerKind, Span, Verdict
from vipkeeper.report.style import interval, milliseconds, one_line
from vipkeeper.report.summary import longest, overlaps, unended, waited
from vipkeeper.report.svg_parts import (
    BOLD,
    CHARACTER,
    Box,
    Swatch,
    document,
    flow,
    line,
    number,
    path,
    plain,
    text,
)
from vipkeeper.report.svg_phases import strip
from vipkeeper.report.ticks import axis_length, nice_ticks, seconds

LANE = 26
LANE_STEP = 36
CLIENT_STEP = 46
FLAGS = 26
"""Height of the row of numbered flags above the lanes."""
LISTED = 14
LISTED_NARROW = 10
"""Events named below the picture; the rest is in the raw data."""
WIDE = 960.0
NARROW = 352.0
"""Widths of a drawing for a desk and for a phone."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things are: sizes of one drawing, and time as a coordinate."""

    width: float
    left: float
    length: float
    key: str

    @property
    def right(self) -> float:
        return self.width - 18

    def x(self, at: float) -> float:
        """The coordinate of an instant, inside the plot."""
        share = min(max(at / self.length, 0.0), 1.0)
        return self.left + share * (self.right - self.left)

    def box(self, span: Span, y: float, height: float, least: float = 1.5) -> Box:
        """The box of a span; a very short one stays visible."""
        x = self.x(span.start)
        return Box(x, y, max(self.x(span.end) - x, least), height)

    def characters(self, width: float) -> int:
        """How many characters fit."""
        return max(int(width / CHARACTER), 8)


def timeline(act: ActResult, *, narrow: bool = False, heading: bool = True) -> str:
    """The act as an SVG document, the same bytes for the same act.

    `narrow` fits a phone; without `heading` title and verdict are left to the text around it.
    """
    width = NARROW if narrow else WIDE
    names = [len(one_line(lane.server)) for lane in act.lanes] + [len("service")]
    left = 18 + min(max(names), 10 if narrow else 18) * BOLD
    frame = _Frame(width, left, axis_length(act.length), _key(act, narrow))
    parts: list[str] = []
    top = _heading(parts, act, frame) if heading else 4.0
    top = _headline(parts, act, frame, top + 12) if act.lanes else top
    lanes_top = top + FLAGS
    probed = act.observed or act.udp.sent > 0
    clients = 2 * CLIENT_STEP if probed else 0
    bottom = lanes_top + LANE_STEP * len(act.lanes) + clients + 6
    _background(parts, act, frame, lanes_top - 4, bottom)
    every = happenings(act)
    events = list(every[: LISTED_NARROW if narrow else LISTED])
    _flags(parts, events, frame, top, bottom)
    both = overlaps(act.lanes)
    y = lanes_top + 4
    for lane in act.lanes:
        shown = lane if act.observed else replace(lane, answered=lane.held)
        _server(parts, shown, both[lane.server], frame, y)
        y += LANE_STEP
    if probed:
        _client(parts, "client", act.udp, act.outage_ms, act, frame, y)
        _client(parts, "service", act.tls, act.service_outage_ms, act, frame, y + CLIENT_STEP)
    end = _events(parts, len(every), events, frame, bottom + 50)
    if act.milestones is not None:
        drawn, end = strip(act.milestones, frame.key, 18, frame.right, end + 8)
        parts += drawn
    height = _legend(parts, act, frame, end + 8)
    return document(frame.key, act.title, describe(act), (frame.width, height), parts)


def _key(act: ActResult, narrow: bool) -> str:
    """A prefix for ids, one for each drawing on a page."""
    slug = re.sub(r"[^a-z0-9]+", "-", act.name.lower()).strip("-") or "act"
    return f"vk-{slug}-{act.run}{'n' if narrow else ''}"


def describe(act: ActResult) -> str:
    """The picture in words, for those who do not see it."""
    if act.verdict is Verdict.SKIPPED:
        return f"Skipped: {act.reason}."
    said = [f"Timeline of {act.length:.1f} s."]
    said += [f"{m.at:.2f} s: {_event(m)}." for m in happenings(act)[:LISTED]]
    for lane in act.lanes:
        held = " and ".join(f"{span.start:.2f} to {span.end:.2f} s" for span in lane.held)
        told = " and ".join(f"{span.start:.2f} to {span.end:.2f} s" for span in lane.said)
        known = f"said that it holds {told}" if told else f"held the VIP {held or 'never'}"
        said.append(f"{lane.server} {known}.")
    for who, client, outage in (
        ("client", act.udp, act.outage_ms),
        ("service", act.tls, act.service_outage_ms),
    ):
        if outage is not None:
            least = ", to the end of the act" if unended(act, client) else ""
            said.append(f"Longest {who} outage {milliseconds(outage)}{least}.")
    if act.observed:
        both = milliseconds(act.two_holders_ms)
        said.append(f"Two servers answered at the same time for {both}.")
    return " ".join(said)


def _heading(parts: list[str], act: ActResult, frame: _Frame) -> float:
    """Title and verdict; returns where the plot may begin."""
    word = {Verdict.PASSED: "✓ passed", Verdict.FAILED: "✗ FAILED"}
    kind = {Verdict.PASSED: "ok b", Verdict.FAILED: "two b"}
    room = int((frame.width - 120) / (BOLD * 1.25))
    y = 28.0
    for row in textwrap.wrap(one_line(act.title), room) or [""]:
        parts.append(text(18, y, row, "ink t"))
        y += 20
    parts.append(
        text(
            frame.right,
            28,
            word.get(act.verdict, act.verdict.value),
            kind.get(act.verdict, "soft b"),
            "end",
        )
    )
    return y - 8


def _headline(parts: list[str], act: ActResult, frame: _Frame, y: float) -> float:
    """Who held the VIP, what broke, how long clients waited; returns where the plot may begin."""
    y += 6
    for label, words, alarm in headline(act):
        parts.append(text(18, y, label, "soft"))
        room = int((frame.right - 70) / BOLD)
        for row in textwrap.wrap(one_line(words), room):
            parts.append(text(70, y, row, "two b" if alarm else "ink b"))
            y += 18
    return y - 4


def _background(parts: list[str], act: ActResult, frame: _Frame, top: float, bottom: float) -> None:
    """Fault bands, the grid and the axis."""
    for fault in act.faults:
        band = frame.box(fault, top, bottom - top)
        parts.append(band.draw("band", tip=f"fault {fault.start:.3f} to {fault.end:.3f} s"))
        parts.append(band.draw("", fill=f"{frame.key}-fault"))
        parts.append(line("edge", band.x, top, band.x, bottom))
        if fault.end < frame.length:
            parts.append(line("edge", band.x + band.width, top, band.x + band.width, bottom))
    for tick in nice_ticks(frame.length, 5 if frame.width < 500 else 10):
        x = frame.x(tick)
        parts.append(line("grid", x, top, x, bottom + 5))
        parts.append(text(x, bottom + 18, seconds(tick), "soft n s", "middle"))
    parts.append(line("grid", frame.left, bottom, frame.right, bottom))
    parts.append(text(frame.right, bottom + 32, "seconds", "soft s", "end"))


def _server(parts: list[str], lane: Lane, both: tuple[Span, ...], frame: _Frame, y: float) -> None:
    """One server: hatched where it holds, solid where it answers too, red where another does."""
    parts.append(_name(lane.server, frame, y + 17))
    parts.append(line("grid", frame.left, y + LANE / 2, frame.right, y + LANE / 2))
    name = lane.server
    for span in lane.said:
        box = frame.box(span, y + 5, LANE - 10)
        tip = f"{name} says that it holds {span.start:.3f} to {span.end:.3f} s (adverts)"
        parts.append(box.draw("paper"))
        parts += [box.draw("", fill=f"{frame.key}-dots"), box.draw("outline", tip=tip)]
    for span in lane.held:
        tip = f"{name} holds the VIP {span.start:.3f} to {span.end:.3f} s (kernel)"
        box = frame.box(span, y, LANE)
        parts.append(box.draw("paper", radius=2))
        parts.append(box.draw("quiet", radius=2, fill=f"{frame.key}-quiet", tip=tip))
    for span in lane.answered:
        tip = f"{name} answers for the VIP {span.start:.3f} to {span.end:.3f} s (wire)"
        inside = _clipped(span, lane.held)
        for part in inside:
            parts.append(frame.box(part, y, LANE).draw("hold", radius=2, tip=tip))
        if not inside:
            parts.append(frame.box(span, y + 4, LANE - 8).draw("stray", tip=tip))
    _bar_label(parts, lane, both, frame, y)
    for span in both:
        tip = f"{name} and another server answer {span.start:.3f} to {span.end:.3f} s"
        box = frame.box(span, y - 2, LANE + 4, least=3)
        parts += [box.draw("two", tip=tip), box.draw("", fill=f"{frame.key}-two")]
        if box.width > 90:
            label = Box(box.x + box.width / 2 - 42, y + 5, 84, LANE - 10)
            parts.append(label.draw("paper", radius=2))
            parts.append(text(box.x + box.width / 2, y + 17, "two servers", "two b s", "middle"))


def _clipped(span: Span, limits: tuple[Span, ...]) -> list[Span]:
    """The parts of a span inside the limits."""
    parts = [Span(max(span.start, lim.start), min(span.end, lim.end)) for lim in limits]
    return [part for part in parts if part.end > part.start]


def _bar_label(
    parts: list[str], lane: Lane, both: tuple[Span, ...], frame: _Frame, y: float
) -> None:
    """Words in the longest solid bar, where they fit and nothing red covers them."""
    solid = tuple(part for span in lane.answered for part in _clipped(span, lane.held))
    widest = longest(solid)
    if widest is None:
        return
    box = frame.box(widest, y, LANE)
    for words in ("holds the VIP", "VIP"):
        room = len(words) * BOLD + 16
        covered = any(frame.x(b.start) < box.x + room and frame.x(b.end) > box.x for b in both)
        if box.width > room and not covered:
            parts.append(text(box.x + 8, y + 17, words, "onhold b s"))
            return


def _name(name: str, frame: _Frame, y: float) -> str:
    """The name of a lane, cut when it is too long for the margin."""
    shown, room = one_line(name), int((frame.left - 12) / BOLD)
    short = shown if len(shown) <= room else shown[: room - 1] + "…"
    return text(frame.left - 10, y, short, "ink b", "end")


def _client(
    parts: list[str], name: str, client: Client, outage_ms: float | None,
    act: ActResult, frame: _Frame, y: float,
) -> None:  # fmt: skip
    """A client: a thin line while it is served, a thick bar while it is not, a bracket with the figure."""
    middle = y + 32
    parts.append(_name(name, frame, middle + 4))
    if not client.sent:
        parts.append(text(frame.left + 4, middle + 4, "not probed", "soft s"))
        return
    parts.append(Box(frame.left, middle - 2, frame.right - frame.left, 4).draw("ok"))
    for gap in client.gaps:
        box = frame.box(gap, middle - 8, 16, least=2)
        tip = f"not served {gap.start:.3f} to {gap.end:.3f} s"
        parts.append(Box(box.x, middle - 3, box.width, 6).draw("paper"))
        parts.append(box.draw("lost", tip=tip))
    if outage_ms is not None:
        _bracket(parts, client, outage_ms, act, frame, y)


def _bracket(
    parts: list[str], client: Client, outage_ms: float, act: ActResult, frame: _Frame, y: float
) -> None:
    """The figure with its resolution, over the gap it measures."""
    fault = act.faults[0].start if act.faults else 0.0
    gap = longest(tuple(g for g in client.gaps if g.end > fault)) or Span(fault, fault)
    x1, x2 = frame.x(gap.start), frame.x(gap.end)
    figure = waited(outage_ms, client.interval_ms, unended=unended(act, client))
    words = f"{figure} outage, ±{interval(client.interval_ms)}"
    if outage_ms <= 0:
        words = f"no outage seen, probe every {interval(client.interval_ms)}"
    elif gap.end > gap.start:
        parts.append(
            path("bracket", f"M{number(x1)} {number(y + 22)}v-8H{number(max(x2, x1 + 2))}v8")
        )
    room = len(words) * BOLD
    centre = min(max((x1 + x2) / 2, frame.left + room / 2), frame.right - room / 2)
    kind = "lost b n halo" if outage_ms > 0 else "ok b n halo"
    parts.append(text(centre, y + 10, words, kind, "middle"))


def _flags(
    parts: list[str], events: list[Marker], frame: _Frame, top: float, bottom: float
) -> None:
    """A numbered flag for each event, moved right where they would cover each other."""
    slots = _spread([frame.x(event.at) for event in events], 19, frame.right + 6)
    for index, (event, slot) in enumerate(zip(events, slots, strict=True), start=1):
        x = frame.x(event.at)
        kind = "edge" if event.kind is MarkerKind.FAULT else "mark"
        parts.append(
            path(kind, f"M{number(slot)} {number(top + 12)}L{number(x)} {number(top + FLAGS - 2)}")
        )
        if event.kind is not MarkerKind.FAULT:
            parts.append(line("mark", x, top + FLAGS - 2, x, bottom))
        parts.append(_flag(index, event, slot, top + 8))


def _flag(index: int, event: Marker, x: float, y: float) -> str:
    tip = f"{event.at:.3f} s: {_event(event)}"
    circle = (
        f'<circle class="paper flag" cx="{number(x)}" cy="{number(y)}" r="8.5">'
        f"<title>{plain(tip)}</title></circle>"
    )
    kind = "warn b s" if event.kind is MarkerKind.FAULT else "ink b s"
    return circle + text(x, y + 4, str(index), kind, "middle")


def _spread(places: list[float], apart: float, last: float) -> list[float]:
    """Sorted places moved so that neighbours are `apart` and none is beyond `last`."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + apart) if moved else place)
    limit = last
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], limit)
        limit = moved[i] - apart
    return moved


def _event(marker: Marker) -> str:
    server = f" {marker.server}" if marker.server and marker.server not in marker.text else ""
    said = marker.text if marker.text and marker.text != marker.kind.value else ""
    return f"{marker.kind.value}{server}" + (f": {said}" if said else "")


def _events(parts: list[str], total: int, events: list[Marker], frame: _Frame, y: float) -> float:
    """What the flags stand for, in two columns where there is room; returns where the list ends."""
    columns = 2 if frame.width >= WIDE and len(events) > 3 else 1
    width = (frame.right - 18) / columns
    rows = -(-len(events) // columns)
    deepest = y
    for column in range(columns):
        left, at = column * width, y
        for index in range(column * rows, min((column + 1) * rows, len(events))):
            event = events[index]
            parts.append(text(left + 36, at, str(index + 1), "ink b n", "end"))
            parts.append(text(left + 100, at, f"{event.at:.3f} s", "soft n", "end"))
            for row in textwrap.wrap(one_line(_event(event)), frame.characters(width - 112)):
                parts.append(text(left + 112, at, row))
                at += 18
        deepest = max(deepest, at)
    y = deepest
    if total > len(events):
        parts.append(text(112, y, f"and {total - len(events)} more in the raw data", "soft"))
        y += 18
    return y


def _legend(parts: list[str], act: ActResult, frame: _Frame, y: float) -> float:
    """What the shapes mean, as many on a line as fit; returns the height of the whole drawing."""
    key = frame.key
    entries: list[tuple[str, Swatch]] = [
        ("holds the VIP and answers", (("hold", ""),)),
        ("on the server, silent", (("quiet", f"{key}-quiet"),)),
        ("answers without holding", (("stray", ""),)),
        ("two servers answer", (("two", ""), ("", f"{key}-two"))),
        ("client not served", (("lost", ""),)),
        ("fault", (("band", ""), ("", f"{key}-fault"), ("rim", ""))),
    ]
    if not act.observed:
        said: Swatch = (("outline", ""), ("", f"{key}-dots"))
        entries = [
            ("its kernel has the VIP", entries[0][1]),
            ("its adverts say that it holds", said),
        ]
    parts.append(line("grid", 18, y - 8, frame.right, y - 8))
    drawn, y = flow(entries, 18, frame.right, y + 10)
    parts += drawn
    return y - 2
