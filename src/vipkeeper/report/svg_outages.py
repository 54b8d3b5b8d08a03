"""Outages by program as step lines: how many runs were over after so long. Nothing is smoothed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from vipkeeper.report.bench import RESOLUTION, WORDS, Outages, Series
from vipkeeper.report.style import interval, milliseconds, one_line
from vipkeeper.report.svg_parts import (
    BOLD,
    CHARACTER,
    attribute,
    document,
    line,
    number,
    plain,
    text,
)
from vipkeeper.report.ticks import nice_ticks, seconds

DASHES = ("", "8 4", "2 3", "12 3 2 3", "5 2 5 7", "16 5", "2 7", "12 3 2 3 2 3")
"""A pattern for each program in order; beyond these they repeat, with their names beside them."""
TOP = 66.0
PLOT = 240.0
FACTOR = 20.0
"""From this ratio of the longest to the shortest median on, time is drawn in powers of ten."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Milliseconds as a coordinate."""

    left: float
    right: float
    least: float | None
    """Anything below is drawn here; None: the axis begins with 0."""
    at: Callable[[float], float]
    ticks: tuple[float, ...]

    def x(self, value: float) -> float:
        """The coordinate of a value, inside the plot."""
        return self.left + min(max(self.at(value), 0.0), 1.0) * (self.right - self.left)


def curves(found: Outages, *, narrow: bool = False) -> str:
    """The cell as an SVG document, the same bytes for the same figures."""
    width = 352.0 if narrow else 760.0
    key = "vk-ecdf-" + (re.sub(r"[^a-z0-9]+", "-", found.cell.lower()).strip("-") or "cell")
    key += "n" if narrow else ""
    axis = _axis(found, 44.0, width - 24, 4 if narrow else 8)
    bottom = TOP + PLOT
    parts = [text(18, 28, one_line(found.title), "ink t")]
    parts.append(text(18, 48, "share of runs that were over after so long", "soft s"))
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = bottom - share * PLOT
        parts += [line("grid", axis.left, y, axis.right, y)]
        parts.append(text(axis.left - 8, y + 4, f"{share:.0%}", "soft n s", "end"))
    for tick in axis.ticks:
        x = axis.x(tick)
        parts.append(line("grid", x, TOP, x, bottom + 5))
        words = f"≤ {seconds(tick)}" if axis.least == tick else seconds(tick)
        parts.append(text(x, bottom + 18, words, "soft n s", "middle"))
    every = interval(RESOLUTION[found.metric])
    parts.append(text(axis.right, bottom + 36, f"ms, one probe every {every}", "soft s", "end"))
    parts += [_curve(one, index, axis, bottom) for index, one in enumerate(found.series)]
    y = bottom + 64
    for index, one in enumerate(found.series):
        rows, y = _label(one, index, width - 18, y)
        parts += rows
    parts += _names(found, axis, bottom)
    return document(key, found.title, describe(found), (width, y - 4), parts)


def describe(found: Outages) -> str:
    """The picture in words."""
    said = [f"{WORDS[found.metric].capitalize()} in the cell {found.cell}, milliseconds."]
    said += [f"{one.name}: {figures(one)}{split(one)}{still(one)}." for one in found.series]
    return " ".join(said)


def figures(one: Series) -> str:
    """`n 50, median 193, p95 210, max 230 ms`; a `>` before what did not end by itself."""
    named = (("median", 0.5), ("p95", 0.95), ("max", 1.0))
    words = ", ".join(f"{name} {_figure(one, share)}" for name, share in named)
    return f"n {one.runs}, {words}"


def _figure(one: Series, share: float) -> str:
    return f"{'' if one.ends(share) else '> '}{milliseconds(one.quantile(share))}"


def _axis(found: Outages, left: float, right: float, most: int) -> _Axis:
    longest = max(1.0, *(max((*one.values, *one.open)) for one in found.series)) * 1.05
    medians = [max(one.quantile(0.5), 1.0) for one in found.series]
    if max(medians) / min(medians) < FACTOR:
        ticks = tuple(t for t in nice_ticks(longest, most) if t <= longest)
        return _Axis(left, right, None, lambda value: value / longest, ticks)
    end = math.log10(max(longest, 10.0))
    return _Axis(
        left,
        right,
        1.0,
        lambda value: math.log10(max(value, 1.0)) / end,
        tuple(10.0**power for power in range(math.floor(end) + 1)),
    )


def _curve(one: Series, index: int, axis: _Axis, bottom: float) -> str:
    """A step for each run whose outage ended, then level to the right edge."""
    step = PLOT / one.runs
    y, drawn = bottom, f"M{number(axis.left)} {number(bottom)}"
    for value in one.values:
        y -= step
        drawn += f"H{number(axis.x(value))}V{number(y)}"
    drawn += f"H{number(axis.right)}"
    return (
        f'<path class="curve" d="{drawn}"{_dashes(index)}>'
        f"<title>{plain(one.name)}: {plain(figures(one))}</title></path>"
    )


def _dashes(index: int) -> str:
    pattern = DASHES[index % len(DASHES)]
    return f" stroke-dasharray={attribute(pattern)}" if pattern else ""


def _names(found: Outages, axis: _Axis, bottom: float) -> list[str]:
    """The name of each program beside its line, where none covers another."""
    parts: list[str] = []
    taken: list[tuple[float, float, float]] = []
    levels = [0.5, 0.3, 0.7, 0.15, 0.85]
    for one in found.series:
        name = one_line(one.name)
        room = len(name) * BOLD + 8
        for level in levels:
            x, y = axis.x(one.quantile(level)), bottom - level * PLOT + 16
            at = x + 6 if x + 6 + room < axis.right else x - room
            free = all(
                abs(y - b) > 16 or at > right or at + room < left for left, right, b in taken
            )
            if at > axis.left and free:
                parts.append(text(at, y, name, "ink b halo"))
                taken.append((at, at + room, y))
                break
    return parts


def _label(one: Series, index: int, right: float, y: float) -> tuple[list[str], float]:
    """The line again, with name and figures; on two lines where one is too narrow."""
    sample = f'<path class="curve" d="M18 {number(y - 4)}h40"{_dashes(index)}/>'
    name = one_line(one.name)
    parts = [sample, text(66, y, name, "ink b")]
    x = 66 + len(name) * BOLD + 14
    words = figures(one)
    room = len(words) * CHARACTER
    if x + room > right:
        x, y = 66.0 if 66 + room <= right else 18.0, y + 17
    parts.append(text(x, y, words, "soft n s"))
    for words, kind in ((still(one), "lost b s"), (split(one), "two b s")):
        if words:
            y += 17
            parts.append(text(66, y, words.removeprefix("; "), kind))
    return parts, y + 22


def split(one: Series) -> str:
    """In how many runs two servers answered at once; empty when in none."""
    if not one.split:
        return ""
    return f"; two servers answered at once in {one.split} runs"


def still(one: Series) -> str:
    """In how many runs the outage did not end by itself; empty when in none."""
    return f"; in {len(one.open)} runs it did not end by itself" if one.open else ""
