"""A run on a terminal: a table of the acts and a timeline of each, fit to be pasted into an issue."""

from __future__ import annotations

import dataclasses
import itertools
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vipkeeper.report.headline import happenings
from vipkeeper.report.phases import phases
from vipkeeper.report.run import ActResult, Client, Lane, MarkerKind, RunReport, Span, Verdict
from vipkeeper.report.style import VERDICT_TONE, Style, Tone, interval, milliseconds
from vipkeeper.report.summary import (
    ActSummary,
    Figure,
    counted,
    longest,
    overlaps,
    resolution,
    summaries,
    traced,
    unended,
    waited,
)
from vipkeeper.report.svg_phases import figure as phase_figure
from vipkeeper.report.ticks import axis_length, nice_ticks, seconds

NARROWEST = 60
WIDEST = 140
FEWEST_COLUMNS = 20
MOST_COLUMNS = 72
NOTE_WIDTH = 34
"""Room kept for the note to the right of each lane."""


def render_run(report: RunReport, *, ascii: bool, color: bool, width: int) -> str:
    """The whole run as text, lines at most about `width` wide (60 to 140)."""
    style = Style(color=color, ascii=ascii)
    width = min(max(width, NARROWEST), WIDEST)
    acts = summaries(report)
    lines = [*_head(report, style, width), "", *_table(acts, style)]
    lines += ["", *_wrap(resolution(report), style, width)]
    lines += [line for note in report.notes for line in _wrap(f"Note: {note}", style, width)]
    for act in acts:
        lines += ["", *_act(act, style, width)]
    if any(act.measured for act in acts):
        lines += ["", *_legend(style, width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def render_timeline(act: ActResult, *, ascii: bool, color: bool, width: int) -> str:
    """One act as lanes over time and a list of what happened; nothing else."""
    style = Style(color=color, ascii=ascii)
    width = min(max(width, NARROWEST), WIDEST)
    lines = [*_timeline(act, style, width), "", *_legend(style, width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _head(report: RunReport, style: Style, width: int) -> list[str]:
    what = "trace of" if traced(report) else "drill with"
    when = f", {report.started_at}" if report.started_at else ""
    title = style.text(f"{what} {report.manager} {report.tool_version}{when}: {counted(report)}")
    conditions = ", ".join(f"{key} {value}" for key, value in report.conditions.items())
    return [
        style.paint(title, Tone.STRONG),
        *(_wrap(conditions, style, width) if conditions else []),
    ]


def _wrap(text: str, style: Style, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(
        style.text(text), width, initial_indent=indent, subsequent_indent=indent,
        break_on_hyphens=False,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    tone: Tone | None = None


def _table(acts: Sequence[ActSummary], style: Style) -> list[str]:
    """One row an act; with several runs, how many and `median / max`."""
    several = any(len(act.runs) > 1 for act in acts)
    header = [
        ("", "act"), ("", "runs"), ("", "verdict"), ("client", "outage"), ("service", "outage"),
        ("two servers", "answering"), ("left", "behind"), ("", "moves"),
    ]  # fmt: skip
    rows = [_row(act, style) for act in acts]
    if not several:
        del header[1]
        rows = [[*row[:1], *row[2:]] for row in rows]
    top = [_Cell(upper, Tone.FAINT) for upper, _ in header]
    names = [_Cell(lower, Tone.FAINT) for _, lower in header]
    lines = [top, names, *rows]
    widths = [max(len(line[i].text) for line in lines) for i in range(len(header))]
    table = [
        "  ".join(_padded(c, w, style) for c, w in zip(line, widths, strict=True)) for line in lines
    ]
    if several:
        table.append(style.paint("several runs: median / max, worst run drawn", Tone.FAINT))
    return table


def _padded(cell: _Cell, width: int, style: Style) -> str:
    return style.paint(cell.text, cell.tone) + " " * (width - len(cell.text))


def _row(act: ActSummary, style: Style) -> list[_Cell]:
    return [
        _Cell(style.text(act.name)),
        _Cell(str(len(act.runs))),
        _Cell(_shout(act.verdict), VERDICT_TONE[act.verdict]),
        _figure(act.outage),
        _figure(act.service_outage),
        _figure(act.two_holders, bad_above=0),
        _left_behind(act),
        _Cell(act.moves or "-"),
    ]


def _shout(verdict: Verdict) -> str:
    """A failure must stand out without colour."""
    word: str = verdict.value
    return word.upper() if verdict is Verdict.FAILED else word


def _figure(figure: Figure | None, bad_above: float | None = None) -> _Cell:
    if figure is None:
        return _Cell("-")
    bad = bad_above is not None and figure.highest > bad_above
    return _Cell(figure.text, Tone.BAD if bad else None)


def _left_behind(act: ActSummary) -> _Cell:
    if not act.measured:
        return _Cell("-")
    if not act.left_behind:
        return _Cell("no")
    several = len(act.measured) > 1
    return _Cell(f"YES ({act.left_behind} of {len(act.measured)})" if several else "YES", Tone.BAD)


def _act(summary: ActSummary, style: Style, width: int) -> list[str]:
    act = summary.worst
    which = f" (run {act.run}, the worst of {len(summary.runs)})" if len(summary.runs) > 1 else ""
    lines = [
        style.paint(style.text(f"{act.name}: {act.title}{which}"), Tone.STRONG)
        + "  "
        + style.paint(_shout(act.verdict), VERDICT_TONE[act.verdict])
    ]
    lines += _wrap(act.story, style, width, "  ")
    if act.verdict is Verdict.SKIPPED:
        return [*lines, *_wrap(f"skipped: {act.reason}", style, width, "  ")]
    lines += ["", *_timeline(act, style, width), ""]
    if act.reason:
        lines += _wrap(f"{act.verdict.value}: {act.reason}", style, width, "  ")
    for expectation in act.expectations:
        mark = "ok  " if expectation.met else "FAIL"
        found = f" (found: {expectation.found})" if expectation.found else ""
        text = style.text(f"{expectation.text}{found}")
        wrapped = textwrap.wrap(text, width - 7, break_on_hyphens=False) or [""]
        painted = style.paint(mark, Tone.GOOD if expectation.met else Tone.BAD)
        lines += [f"  {painted} {wrapped[0]}", *(f"       {rest}" for rest in wrapped[1:])]
    return lines


@dataclass(frozen=True, slots=True)
class _Grid:
    """Columns of equal length over the time of an act."""

    length: float
    columns: int
    label: int

    def touched(self, spans: Iterable[Span]) -> set[int]:
        """The columns a span covers any part of; an empty span covers none, a short one at least one."""
        found: set[int] = set()
        for span in spans:
            if span.end <= span.start or span.start >= self.length:
                continue
            first = self.column(span.start)
            last = self.column(min(span.end, self.length) - 1e-9)
            found.update(range(first, max(first, last) + 1))
        return found

    def column(self, at: float) -> int:
        """The column of an instant, inside the grid."""
        return min(max(int(at / self.length * self.columns), 0), self.columns - 1)


def _timeline(act: ActResult, style: Style, width: int) -> list[str]:
    """Axis, fault band, a lane a server, the clients, and what happened when."""
    names = [style.text(lane.server) for lane in act.lanes]
    label = max([len(name) for name in names] + [len("service")])
    columns = min(max(width - label - NOTE_WIDTH - 6, FEWEST_COLUMNS), MOST_COLUMNS)
    grid = _Grid(axis_length(act.length), columns, label)
    both = overlaps(act.lanes)
    if not act.observed:
        act = dataclasses.replace(act, lanes=tuple(_unwatched(lane) for lane in act.lanes))
    lines = _axis(grid)
    if act.faults:
        marks = grid.touched(act.faults)
        cells = [style.glyphs.fault if i in marks else " " for i in range(columns)]
        lines.append(_lane("fault", cells, _when("", act.faults), grid, style))
    for lane, name in zip(act.lanes, names, strict=True):
        note = _when("VIP ", lane.held) if lane.held else "never held the VIP"
        cells = _server_cells(lane, both[lane.server], grid, style)
        lines.append(_lane(name, cells, note, grid, style))
    lines.append(_client_lane("client", act.udp, act.outage_ms, act, grid, style))
    lines.append(_client_lane("service", act.tls, act.service_outage_ms, act, grid, style))
    if act.two_holders_ms > 0:
        text = f"two servers answered at the same time for {milliseconds(act.two_holders_ms)}"
        lines.append("  " + style.paint(text, Tone.BAD))
    if act.left_behind:
        lines.append(
            "  " + style.paint("the VIP was left behind on a server without a daemon", Tone.BAD)
        )
    return lines + _marks(act, style, width)


def _unwatched(lane: Lane) -> Lane:
    """A lane as far as it is known where nobody watched the wire: holding, or saying so."""
    spans = lane.held or lane.said
    return dataclasses.replace(lane, held=spans, answered=spans)


def _axis(grid: _Grid) -> list[str]:
    """The seconds above and a rule with a tick at each."""
    numbers = [" "] * (grid.columns + 8)
    rule = ["-"] * grid.columns
    for tick in nice_ticks(grid.length, max(grid.columns // 10, 2)):
        if tick >= grid.length and tick > 0:
            continue
        column = grid.column(tick)
        rule[column] = "+"
        for offset, character in enumerate(seconds(tick)):
            numbers[column + offset] = character
    head = "  " + "t/s".ljust(grid.label) + "  "
    return [head + "".join(numbers).rstrip(), " " * len(head) + "".join(rule)]


def _lane(name: str, cells: Sequence[str], note: str, grid: _Grid, style: Style) -> str:
    return f"  {name:<{grid.label}}  {_painted(cells, style)}  {note}".rstrip()


def _painted(cells: Sequence[str], style: Style) -> str:
    g = style.glyphs
    tones = {
        g.answers: Tone.HELD, g.silent: Tone.FAINT, g.stray: Tone.WARN, g.both: Tone.BAD,
        g.served: Tone.GOOD, g.lost: Tone.BAD, g.fault: Tone.WARN,
    }  # fmt: skip
    groups = ("".join(group) for _, group in itertools.groupby(cells))
    return "".join(style.paint(text, tones.get(text[0])) for text in groups)


def _server_cells(lane: Lane, both: tuple[Span, ...], grid: _Grid, style: Style) -> list[str]:
    g = style.glyphs
    two, held, answered = (grid.touched(s) for s in (both, lane.held, lane.answered))

    def cell(column: int) -> str:
        if column in two:
            return g.both
        if column in held:
            return g.answers if column in answered else g.silent
        return g.stray if column in answered else g.nothing

    return [cell(column) for column in range(grid.columns)]


def _client_lane(
    name: str, client: Client, outage_ms: float | None, act: ActResult, grid: _Grid, style: Style
) -> str:
    g = style.glyphs
    if not client.sent:
        return _lane(name, [g.nothing] * grid.columns, "not probed", grid, style)
    lost = grid.touched(client.gaps)
    cells = [g.lost if column in lost else g.served for column in range(grid.columns)]
    every = interval(client.interval_ms)
    if outage_ms is None:
        return _lane(name, cells, f"probe every {every}", grid, style)
    figure = waited(outage_ms, client.interval_ms, unended=unended(act, client))
    note = f"outage {figure} (probe every {every})"
    return _lane(name, cells, note, grid, style)


def _when(prefix: str, spans: tuple[Span, ...]) -> str:
    """`VIP 0.00-2.00`, the longest span when there are many."""
    if len(spans) > 2:
        span = longest(spans)
        assert span is not None
        return f"{prefix}{len(spans)} times, longest {span.start:.2f}-{span.end:.2f}"
    return prefix + ", ".join(f"{span.start:.2f}-{span.end:.2f}" for span in spans)


def _marks(act: ActResult, style: Style, width: int) -> list[str]:
    """What happened, in order, with three digits: the picture has less."""
    lines = []
    for marker in happenings(act):
        kinds = {MarkerKind.FAULT: Tone.WARN, MarkerKind.CLIENT_BACK: Tone.GOOD}
        server = f" {marker.server}" if marker.server and marker.server not in marker.text else ""
        text = f"{marker.at:8.3f} s  {marker.kind.value}{server}"
        if marker.text and marker.text != marker.kind.value:
            text += f": {marker.text}"
        lead = len(text) - len(text.lstrip())
        wrapped = _wrap(text, style, width - lead - 2)
        lines += [
            "  " + " " * (lead if i == 0 else 12) + style.paint(line, kinds.get(marker.kind))
            for i, line in enumerate(wrapped)
        ]
    if act.milestones is not None:
        figures = ", ".join(map(phase_figure, phases(act.milestones)))
        lines += [f"  {line}" for line in _wrap(f"phases: {figures}", style, width - 2)]
    return lines


def _legend(style: Style, width: int) -> list[str]:
    g = style.glyphs
    marks = [
        f"{g.answers} holds the VIP, answers",
        f"{g.silent} holds it, silent",
        f"{g.stray} answers without it",
        f"{g.both} two servers answer",
        f"{g.served} client served",
        f"{g.lost} not served",
        f"{g.fault} fault",
    ]
    text = (
        "A column shows the worst of its time. Holding is read from each server's kernel, "
        "answering by an observer's ARP probes."
    )
    joined = "   ".join(mark.replace(" ", "\u2003") for mark in marks)
    lines = [line.replace("\u2003", " ") for line in textwrap.wrap(joined, width)]
    return [style.paint(line, Tone.FAINT) for line in [*lines, *_wrap(text, style, width)]]
