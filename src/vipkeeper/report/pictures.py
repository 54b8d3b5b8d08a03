"""Pictures on one HTML page, each for a desk and for a phone; and the same figures as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vipkeeper.report.bench import Outages
from vipkeeper.report.html import file, stylesheet, templates
from vipkeeper.report.soak import Soak
from vipkeeper.report.svg_outages import curves, figures, split, still
from vipkeeper.report.svg_soak import (
    LISTED,
    clock,
    counted,
    overview,
    skips,
    title,
    verdict,
    waits,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture in two widths, as SVG."""

    wide: str
    narrow: str


def page(title: str, text: str, pictures: Sequence[Picture]) -> str:
    """The page; it needs nothing else."""
    template = templates().from_string(file("pictures.html.j2"))
    return template.render(title=title, text=text, pictures=pictures, css=stylesheet()) + "\n"


def bench_page(cells: Sequence[Outages]) -> str:
    """The outages of every cell."""
    pictures = [Picture(curves(cell), curves(cell, narrow=True)) for cell in cells]
    return page("Outages by program", "Same lab, same probe. Nothing is smoothed.", pictures)


def bench_text(cells: Sequence[Outages]) -> str:
    """A line for each program in each cell."""
    lines = []
    for cell in cells:
        lines.append(cell.title)
        lines += [f"  {one.name}: {figures(one)}{split(one)}{still(one)}" for one in cell.series]
    return "\n".join(lines) + "\n"


def soak_page(soak: Soak) -> str:
    """The soak at a glance."""
    both = Picture(overview(soak, heading=False), overview(soak, narrow=True, heading=False))
    return page(title(soak), counted(soak), [both])


def soak_text(soak: Soak) -> str:
    """What it came to, and the promises that were broken."""
    lines = [f"{title(soak)}; {counted(soak)}"]
    lines += [f"  BROKEN {clock(one.at)} {one.text}" for one in soak.violations[:LISTED]]
    if len(soak.violations) > LISTED:
        lines.append(f"  and {len(soak.violations) - LISTED} more")
    if not soak.violations:
        said = verdict(soak)
        lines.append(f"  {said[0].lower()}{said[1:]}")
    lines += [f"  {said}" for said in (*waits(soak), *skips(soak))]
    return "\n".join(lines) + "\n"
