"""A soak at a glance: a strip for each ten minutes with faults, outages and moves."""

from __future__ import annotations

import textwrap

from vipkeeper.report.run import Span
from vipkeeper.report.soak import STRIP, Soak, SoakOutage, strips
from vipkeeper.report.style import milliseconds, one_line
from vipkeeper.report.svg_parts import (
    BOLD,
    CHARACTER,
    Box,
    Swatch,
    document,
    flow,
    line,
    path,
    text,
)
from vipkeeper.report.svg_parts import number as n

STEP = 34.0
LANE = 22.0
LISTED = 5
"""Violations, and faults that were skipped, named above the strips."""
WAITS = 3
"""The longest outages, which are named there too."""


def overview(soak: Soak, *, narrow: bool = False, heading: bool = True) -> str:
    """The soak as an SVG document, the same bytes for the same soak.

    Without `heading` what it is and what it came to in figures are left to the text around it.
    """
    width = 352.0 if narrow else 960.0
    key = f"vk-soak-{soak.seed}{'n' if narrow else ''}"
    left, right = 58.0, width - 18
    parts = [text(18, 28, title(soak), "ink t")] if heading else []
    kept = "no promise broken" if soak.unjudged else "every promise kept"
    words = "✗ FAILED" if soak.violations else f"✓ {kept}"
    parts.append(text(right, 28, words, "two b" if soak.violations else "ok b", "end"))
    y = 50.0
    for row in textwrap.wrap(counted(soak), int((right - 18) / CHARACTER)) if heading else ():
        parts.append(text(18, y, row, "ink"))
        y += 18
    for broken in soak.violations[:LISTED]:
        words = f"✗ {clock(broken.at)} {one_line(broken.text)}"
        for row in textwrap.wrap(words, int((right - 18) / BOLD)):
            parts.append(text(18, y, row, "two b"))
            y += 18
    if len(soak.violations) > LISTED:
        parts.append(text(18, y, f"and {len(soak.violations) - LISTED} more", "two b"))
        y += 18
    for said in (*waits(soak), *skips(soak)):
        for row in textwrap.wrap(said, int((right - 18) / CHARACTER)):
            parts.append(text(18, y, row, "soft"))
            y += 18
    y += 4
    drawn, y = flow(_legend(key), 18, right, y)
    parts += drawn
    y += 16
    scale = (right - left) / STRIP
    for minute in range(0, 11, 5 if narrow else 1):
        x = left + minute * 60 * scale
        parts.append(text(x, y, str(minute), "soft n s", "middle"))
    parts.append(text(18, y, "h:min", "soft s"))
    y += 8
    for strip in strips(soak):
        parts += _strip(soak, strip, key, left, scale, y)
        y += STEP
    return document(key, title(soak), describe(soak), (width, y + 8), parts)


def title(soak: Soak) -> str:
    """What was played."""
    return "Soak, nothing broken" if soak.quiet else f"Soak, seed {soak.seed}"


def counted(soak: Soak) -> str:
    """`2.00 h from ..., 312 faults of 70 kinds (1 not judged), 9 skipped, 300 moves, 290 outages, the longest 412 ms`."""
    longest = f", the longest {milliseconds(soak.longest * 1000)}" if soak.outages else ""
    probe = f" (probe every {soak.probe_ms:g} ms)" if soak.probe_ms and soak.outages else ""
    unjudged = f" ({len(soak.unjudged)} not judged)" if soak.unjudged else ""
    kinds = len({fault.kind for fault in soak.faults})
    of_kinds = f" of {kinds} kinds" if kinds > 1 else ""
    skipped = f", {len(soak.skipped)} skipped" if soak.skipped else ""
    return (
        f"{one_line(soak.manager)}, {soak.length / 3600:.2f} h from {one_line(soak.started)}: "
        f"{len(soak.faults)} faults{of_kinds}{unjudged}{skipped}, {len(soak.moves)} moves, "
        f"{len(soak.outages)} outages{longest}{probe}"
    )


def waits(soak: Soak) -> list[str]:
    """`longest waits: 4160 ms at 0:42:57 (stale-client), ...`: when, and in or after which fault."""
    found = sorted(soak.outages, key=lambda outage: outage.start - outage.end)[:WAITS]
    named = [
        f"{milliseconds((one.end - one.start) * 1000)} at {clock(one.start)}{_of_fault(soak, one)}"
        for one in found
    ]
    return [f"longest waits: {', '.join(named)}"] if named else []


def _of_fault(soak: Soak, outage: SoakOutage) -> str:
    if not soak.faults:
        return ""
    fault = soak.fault_of(outage)
    if fault is None:
        return " (before the first fault)"
    return f" ({'after ' if outage.start > fault.end else ''}{one_line(fault.kind)})"


def skips(soak: Soak) -> list[str]:
    """`skipped 3 times: clock-steps: libfaketime is not installed`, of each fault, the most frequent first."""
    often = sorted(soak.lacking.items(), key=lambda one: -one[1])
    lines = [
        f"skipped {f'{count} times' if count != 1 else 'once'}: {one_line(kind)}: {one_line(reason)}"
        for (kind, reason), count in often[:LISTED]
    ]
    if len(often) > LISTED:
        lines.append(f"skipped: {len(often) - LISTED} more, named in the record")
    return lines


def describe(soak: Soak) -> str:
    """The picture in words."""
    said = [f"{clock(v.at)}: {v.text}." for v in soak.violations[:LISTED]]
    kept = f"{verdict(soak)}." if not said else f"{len(soak.violations)} promises broken."
    more = (f"{one}." for one in (*waits(soak), *skips(soak)))
    return " ".join([f"{counted(soak)}.", kept, *said, *more])


def verdict(soak: Soak) -> str:
    """What a soak without a broken promise has shown."""
    if not (still := soak.unjudged):
        return "Every promise was kept"
    faults = "1 fault" if len(still) == 1 else f"{len(still)} faults"
    longest = f"{'' if len(still) == 1 else 'up to '}{milliseconds(max(still) * 1000)}"
    return (
        f"No promise was broken; what {faults} must show was not judged: "
        f"the host stood still for {longest}"
    )


def clock(at: float) -> str:
    """`1:07:33` since the start."""
    whole = int(at)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _strip(soak: Soak, strip: Span, key: str, left: float, scale: float, y: float) -> list[str]:
    """Ten minutes: faults as hatched bands, outages as bars, moves as ticks above."""
    width = (strip.end - strip.start) * scale
    label = f"{int(strip.start) // 3600}:{int(strip.start) // 60 % 60:02d}"
    parts = [text(left - 10, y + 19, label, "soft n s", "end")]
    parts.append(line("grid", left, y + 16, left + width, y + 16))

    def box(start: float, end: float, top: float, height: float, least: float) -> Box:
        begin = (max(start, strip.start) - strip.start) * scale
        room = (min(end, strip.end) - strip.start) * scale - begin
        return Box(left + min(begin, width - least), y + top, max(room, least), height)

    for fault in soak.faults:
        if fault.start < strip.end and fault.end >= strip.start:
            band = box(fault.start, fault.end, 6, LANE, 2)
            server = f" {fault.server}" if fault.server else ""
            tip = f"{clock(fault.start)} {fault.kind}{server}"
            parts += [band.draw("band", tip=tip), band.draw("", fill=f"{key}-fault")]
            parts.append(line("edge", band.x, y + 6, band.x, y + 6 + LANE))
    for outage in soak.outages:
        if outage.start < strip.end and outage.end >= strip.start:
            tip = f"{clock(outage.start)} {milliseconds((outage.end - outage.start) * 1000)}"
            parts.append(box(outage.start, outage.end, 12, 10, 2).draw("lost", tip=tip))
    for move in soak.moves:
        if strip.start <= move.at < strip.end:
            x = left + (move.at - strip.start) * scale
            parts.append(path("ink", f"M{n(x - 3.5)} {n(y)}h7l-3.5 6z"))
    for broken in soak.violations:
        if strip.start <= broken.at < strip.end:
            mark = box(broken.at, broken.at, 2, LANE + 6, 6)
            tip = f"{clock(broken.at)} {broken.text}"
            parts += [mark.draw("two", tip=tip), mark.draw("", fill=f"{key}-two")]
    return parts


def _legend(key: str) -> list[tuple[str, Swatch]]:
    return [
        ("fault", (("band", ""), ("", f"{key}-fault"), ("rim", ""))),
        ("client not served", (("lost", ""),)),
        ("promise broken", (("two", ""), ("", f"{key}-two"))),
        ("▾ the VIP moves", ()),
    ]
