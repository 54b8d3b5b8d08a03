"""Where the time of takeovers went, as stacked bars: each phase has a hatching, a name and a figure."""

from __future__ import annotations

from collections.abc import Sequence

from vipkeeper.report.phases import Phase, phases
from vipkeeper.report.run import Milestones
from vipkeeper.report.style import milliseconds
from vipkeeper.report.svg_parts import Box, Swatch, flow, text

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
