"""Where the time of takeovers went, as stacked bars: each phase has a hatching, a name and a figure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from vipkeeper.report.json import ReportError
from vipkeeper.report.phases import Phase, phases
from vipkeeper.report.run import Milestones, RunReport
from vipkeeper.report.style import milliseconds, one_line
from vipkeeper.report.summary import summaries
from vipkeeper.report.svg_parts import CHARACTER, Box, Swatch, document, flow, line, text
from vipkeeper.report.ticks import nice_ticks, seconds

BAR = 20
LEAST = 3.0
"""Width of the shortest phase, so that none is lost."""
FILLS = {
    "detect": ("solid", ""),
    "confirm": ("outline", "slant"),
    "claim": ("hold", ""),
    "announce": ("outline", "dots"),
    "client back": ("outline", "level"),
}
"""Class and hatching of each phase; all differ without colour."""


def swatch(name: str, key: str) -> Swatch:
    """How a phase looks."""
    kind, pattern = FILLS[name]
    return ((kind, ""), ("", f"{key}-{pattern}")) if pattern else ((kind, ""),)


def figure(phase: Phase) -> str:
    """`detect 180 ms`."""
    length = (phase.end - phase.start) * 1000
    return f"{phase.name} {milliseconds(length, 0.1 if length < 10 else 1)}"


def bar(
    stretches: Sequence[Phase], key: str, left: float, scale: float, y: float
) -> tuple[list[str], float]:
    """Phases one behind the other, `scale` units a second; and where the last one ends."""
    parts: list[str] = []
    x = left
    for phase in stretches:
        width = max((phase.end - phase.start) * scale, LEAST)
        box = Box(x, y, width, BAR)
        for kind, fill in swatch(phase.name, key):
            parts.append(box.draw(kind, fill=fill, tip=figure(phase)))
        x += width
    return parts, x


def strip(
    found: Milestones, key: str, left: float, right: float, y: float
) -> tuple[list[str], float]:
    """One takeover on a scale of its own, the whole width; and where it ends."""
    stretches = phases(found)
    if not stretches:
        return [], y
    total = stretches[-1].end - stretches[0].start
    begin = "fault" if found.fault is not None else "detection"
    title = f"{begin} to {ending(stretches[-1])}, {milliseconds(total * 1000)}:"
    parts = [text(left, y + 12, title, "ink b")]
    drawn, _ = bar(stretches, key, left, _scale(stretches, right - left), y + 20)
    entries = [(figure(phase), swatch(phase.name, key)) for phase in stretches]
    named, end = flow(entries, left, right, y + 20 + BAR + 16)
    return [*parts, *drawn, *named], end


def _scale(stretches: Sequence[Phase], room: float) -> float:
    """Units a second with which the bars fill the room, those too short to be seen being widened."""
    lengths = [phase.end - phase.start for phase in stretches]
    total = sum(lengths)
    if total <= 0:
        return 0.0
    small = [length for length in lengths if length * room / total < LEAST]
    return (room - LEAST * len(small)) / (total - sum(small))


def ending(phase: Phase) -> str:
    """What the last known phase ends with."""
    words = {"claim": "VIP in the kernel", "announce": "gratuitous ARP", "confirm": "decision"}
    return words.get(phase.name, phase.name)


def takeovers(report: RunReport, *, narrow: bool = False) -> str:
    """A row for each act with a takeover, all on one scale: of several runs the one of median length.

    Raises:
        ReportError: no act has one.
    """
    rows = _rows(report)
    if not rows:
        raise ReportError("no act of the record has a takeover that a daemon wrote down")
    width = 352.0 if narrow else 760.0
    key = "vk-phasesn" if narrow else "vk-phases"
    left, right = 18.0, width - 24
    longest = max(stretches[-1].end - stretches[0].start for _, _, stretches in rows)
    scale = (right - left - LEAST * len(FILLS)) / longest
    parts = [text(18, 28, "Where the time of a takeover went", "ink t")]
    said = []
    entries = [(name, swatch(name, key)) for name in FILLS]
    drawn, y = flow(entries, left, right, 52)
    parts += drawn
    top = y = y + 6
    for name, runs, stretches in rows:
        total = milliseconds((stretches[-1].end - stretches[0].start) * 1000)
        parts.append(text(left, y + 12, one_line(name), "ink b"))
        several = f", median of {runs}" if runs > 1 else ""
        parts.append(text(right, y + 12, f"{total}{several}", "ink b n s", "end"))
        drawn, _ = bar(stretches, key, left, scale, y + 18)
        parts += drawn
        words = ", ".join(figure(phase) for phase in stretches)
        said.append(f"{name}: {words}.")
        y += 18 + BAR + 15
        for row in textwrap.wrap(words, int((right - left) / CHARACTER)):
            parts.append(text(left, y, row, "soft n s"))
            y += 15
        y += 12
    grid = []
    for tick in nice_ticks(longest, 4 if narrow else 8):
        x = left + tick * scale
        grid.append(line("grid", x, top, x, y))
        parts.append(text(x, y + 14, seconds(tick), "soft n s", "start" if tick == 0 else "middle"))
    parts.append(text(right, y + 32, "seconds since the fault", "soft s", "end"))
    return document(key, "Phases of takeovers", " ".join(said), (width, y + 42), grid + parts)


def _rows(report: RunReport) -> list[tuple[str, int, tuple[Phase, ...]]]:
    """Name, number of runs, and the phases of the run of median length."""
    rows = []
    for act in summaries(report):
        found = [phases(run.milestones) for run in act.measured if run.milestones is not None]
        known = sorted((p for p in found if p), key=lambda p: p[-1].end - p[0].start)
        if known:
            rows.append((act.name, len(known), known[(len(known) - 1) // 2]))
    return rows
