"""`vipkeeper report`: draw a recorded drill as text, pictures or a page."""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
from pathlib import Path

from vipkeeper.cli.output import Style, add_ascii_option, add_output_option, deliver, targets
from vipkeeper.errors import ExitCode, NothingError, UsageError
from vipkeeper.report.json import dump_run, load_run
from vipkeeper.report.run import RunReport
from vipkeeper.report.summary import summaries

NAME = "report"
HELP = """\
Draw what a drill recorded: a table and timelines as text, one act as a picture (svg), or everything
as one HTML page that needs no network.

examples:
  vipkeeper report run.json
  vipkeeper report run.json --output html=drill.html
  vipkeeper report run.json --act power-off --output svg=power-off.svg
"""

RECORD = "run.json"
"""What the record is called in a report folder."""
FILE_WIDTH = 100
"""Columns of a text that goes to no terminal."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "run", metavar="RUN.json", help=f"the record, a folder with a {RECORD}, or - for stdin"
    )
    parser.add_argument("--act", metavar="NAME", help="only this act (needed for svg)")
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
        UsageError: no such file or act, or the file is no recorded run.
        NothingError: the run has no acts.
    """
    asked = targets(args)
    report = _chosen(_load(args.run), args.act)
    if any(target.format == "svg" for target in asked):
        _check_one_act(report)
    renderers = {
        "text": lambda style: _text(report, style, args.color),
        "json": lambda _: dump_run(report),
        "svg": lambda _: _svg(report),
        "html": lambda _: _html(report),
    }
    deliver(asked, renderers, ascii_only=args.ascii)
    return ExitCode.OK


def _load(name: str) -> RunReport:
    path = Path(name)
    try:
        if name == "-":
            data = sys.stdin.buffer.read()
        else:
            path = path / RECORD if path.is_dir() else path
            data = path.read_bytes()
        return load_run(data.decode("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a record of a drill") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text; expected a record of a drill") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


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


def _check_one_act(report: RunReport) -> None:
    if len(summaries(report)) > 1:
        raise UsageError(f"svg draws one act; choose it with --act: {_names(report)}")


def _text(report: RunReport, style: Style, color: str) -> str:
    from vipkeeper.report.terminal import render_run

    wanted = style.colour if color == "auto" else color == "always"
    width = FILE_WIDTH
    if sys.stdout is not None and sys.stdout.isatty():
        width = shutil.get_terminal_size((FILE_WIDTH, 24)).columns
    return render_run(report, ascii=style.ascii, color=wanted, width=width)


def _svg(report: RunReport) -> str:
    from vipkeeper.report.svg import timeline

    return timeline(summaries(report)[0].worst)


def _html(report: RunReport) -> str:
    from vipkeeper.report.html import page

    return page(report)
