"""`vipkeeper report`: draw what was recorded (drill, trace, bench, soak) as text, pictures or a page."""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from vipkeeper.cli.output import (
    Style,
    add_ascii_option,
    add_output_option,
    deliver,
    note,
    targets,
)
from vipkeeper.errors import ExitCode, NothingError, UsageError
from vipkeeper.report.bench import Outages
from vipkeeper.report.json import dump_run
from vipkeeper.report.recorded import Recorded, load_recorded
from vipkeeper.report.run import RunReport
from vipkeeper.report.soak import Soak, dump_soak
from vipkeeper.report.summary import summaries

NAME = "report"
HELP = """\
Draw what was recorded: a drill (run.json), a daemon's trace (NDJSON, also from a production host), results of
a bench, a soak. As text, as one picture (svg), or as one HTML page that needs no network.

examples:
  vipkeeper report run.json
  vipkeeper report run.json --output html=drill.html
  vipkeeper report run.json --act power-off --output svg=power-off.svg
  vipkeeper report run.json --picture phases --output svg=phases.svg
  vipkeeper report trace.ndjson --output html=trace.html
  vipkeeper report bench/results/lab.json --act power-off --output svg=outages.svg
"""

RECORD = "run.json"
"""What the record is called in a report folder."""
RECORDS = (RECORD, "soak.json")
"""What a folder is looked through for, in this order."""
FILE_WIDTH = 100
"""Columns of a text that goes to no terminal."""
PICTURES = ("timeline", "phases", "network")
Renderers = Mapping[str, Callable[[Style], str]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "run",
        metavar="FILE",
        help=f"run.json, trace, results of a bench or soak.json, a folder with one "
        f"({' or '.join(RECORDS)}), or - for stdin",
    )
    parser.add_argument(
        "--act", metavar="NAME", help="only this act, or this cell of a bench (needed for svg)"
    )
    parser.add_argument(
        "--picture",
        choices=PICTURES,
        help="which svg of a drill or trace: the timeline, the phases of its takeovers, its network "
        "(default: timeline)",
    )
    parser.add_argument("--narrow", action="store_true", help="svg for a phone")
    add_output_option(parser, ("text", "json", "svg", "html"))
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colour in text (default: auto, for a terminal; see NO_COLOR, FORCE_COLOR)",
    )
    add_ascii_option(parser)


def main(args: argparse.Namespace) -> int:
    """Read, choose, draw.

    Raises:
        UsageError: no such file or act, or the file is nothing that was recorded.
        NothingError: there is nothing in it to draw.
    """
    asked = targets(args)
    deliver(asked, _renderers(_load(args.run), args), ascii_only=args.ascii)
    return ExitCode.OK


def _renderers(recorded: Recorded, args: argparse.Namespace) -> Renderers:
    """How each format is made of what was recorded."""
    drawn = any(target.format == "svg" for target in targets(args))
    if isinstance(recorded, RunReport):
        report = _chosen(recorded, args.act)
        if drawn and args.picture != "phases":
            _check_one([act.name for act in summaries(report)])
        return {
            "text": lambda style: _text(report, style, args.color),
            "json": lambda _: dump_run(report),
            "svg": lambda _: _svg(report, args),
            "html": lambda _: _html(report),
        }
    kind = "a soak" if isinstance(recorded, Soak) else "a bench"
    if args.picture is not None:
        raise UsageError(f"--picture: {kind} has one picture; only a drill or a trace has several")
    if isinstance(recorded, Soak):
        if args.act is not None:
            raise UsageError(
                "--act: a soak is drawn whole; only a drill, a trace or a bench has acts"
            )
        return _soak(recorded, args)
    cells = _cells(recorded, args.act)
    if drawn:
        _check_one([cell.cell for cell in cells])
    return _bench(cells, args)


def _load(name: str) -> Recorded:
    path = Path(name)
    try:
        if name == "-":
            data = sys.stdin.buffer.read()
        else:
            path = _within(path) if path.is_dir() else path
            data = path.read_bytes()
        return load_recorded(data.decode("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a record of a drill") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text; expected a record of a drill") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def _within(folder: Path) -> Path:
    """The record in a folder."""
    found = [path for name in RECORDS if (path := folder / name).exists()]
    if len(found) > 1:
        note(f"report: {found[0]} is drawn; to draw the other one name it: {found[1]}")
    return found[0] if found else folder / RECORD


def _chosen(report: RunReport, act: str | None) -> RunReport:
    """The run, or the runs of one act."""
    if not report.acts:
        raise NothingError("the record has no acts")
    if act is None:
        return report
    acts = tuple(run for run in report.acts if run.name == act)
    if not acts:
        raise UsageError(f"--act: no act '{act}' in the record, expected one of: {_names(report)}")
    return dataclasses.replace(report, acts=acts)


def _names(report: RunReport) -> str:
    return ", ".join(act.name for act in summaries(report))


def _cells(found: tuple[Outages, ...], cell: str | None) -> tuple[Outages, ...]:
    """The cells of a bench, or one."""
    if not found:
        raise NothingError("the results hold no outage")
    if cell is None:
        return found
    chosen = tuple(one for one in found if one.cell == cell)
    if not chosen:
        names = ", ".join(one.cell for one in found)
        raise UsageError(f"--act: no cell '{cell}' in the results, expected one of: {names}")
    return chosen


def _check_one(names: list[str]) -> None:
    if len(names) > 1:
        raise UsageError(f"svg draws one act; choose it with --act: {', '.join(names)}")


def _soak(soak: Soak, args: argparse.Namespace) -> Renderers:
    from vipkeeper.report.pictures import soak_page, soak_text
    from vipkeeper.report.svg_soak import overview

    return {
        "text": lambda style: _plain(soak_text(soak), style),
        "json": lambda _: dump_soak(soak),
        "svg": lambda _: overview(soak, narrow=args.narrow),
        "html": lambda _: soak_page(soak),
    }


def _bench(cells: tuple[Outages, ...], args: argparse.Namespace) -> Renderers:
    from vipkeeper.report.pictures import bench_page, bench_text
    from vipkeeper.report.svg_outages import curves

    def nothing(_: Style) -> str:
        raise UsageError("results of a bench are JSON already; choose text, svg or html")

    return {
        "text": lambda style: _plain(bench_text(cells), style),
        "json": nothing,
        "svg": lambda _: curves(cells[0], narrow=args.narrow),
        "html": lambda _: bench_page(cells),
    }


def _plain(text: str, style: Style) -> str:
    from vipkeeper.report.style import Style as Shown

    shown = Shown(color=False, ascii=style.ascii)
    lead = ((line, len(line) - len(line.lstrip())) for line in text.splitlines())
    return "".join(f"{' ' * indent}{shown.text(line)}\n" for line, indent in lead)


def _text(report: RunReport, style: Style, color: str) -> str:
    from vipkeeper.report.terminal import render_run

    wanted = style.colour if color == "auto" else color == "always"
    width = FILE_WIDTH
    if sys.stdout is not None and sys.stdout.isatty():
        width = shutil.get_terminal_size((FILE_WIDTH, 24)).columns
    return render_run(report, ascii=style.ascii, color=wanted, width=width)


def _svg(report: RunReport, args: argparse.Namespace) -> str:
    from vipkeeper.report.svg import timeline
    from vipkeeper.report.svg_network import topology
    from vipkeeper.report.svg_phases import takeovers

    if args.picture == "phases":
        return takeovers(report, narrow=args.narrow)
    worst = summaries(report)[0].worst
    draw = topology if args.picture == "network" else timeline
    return draw(worst, narrow=args.narrow)


def _html(report: RunReport) -> str:
    from vipkeeper.report.html import page

    return page(report)
