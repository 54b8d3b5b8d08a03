"""`vipkeeper history`: every move of this server with its time, cause and duration."""

from __future__ import annotations

import argparse
from pathlib import Path

from vipkeeper.cli import output
from vipkeeper.cli.output import Style, Tone
from vipkeeper.daemon.history import STATE_DIR, Move, move_from_json, moves_to_json, read_moves
from vipkeeper.daemon.protocol import RUN_DIR, NoDaemonError, Request, RequestVerb, ask
from vipkeeper.errors import ExitCode, HostError, NothingError, RefusedError, UsageError
from vipkeeper.text import printable

NAME = "history"
HELP = """\
Every time the VIP came to this server or left it: when, why, from or to whom, how long it took.
Asks the daemon; where none runs, reads what it left in its state directory.

Exit codes: 0 shown (also when nothing has moved yet), 2 the history cannot be read, 3 there is none: no daemon
runs here and none left one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "-n", "--number", type=_count, default=20, metavar="N", help="newest moves (default: 20)"
    )
    output.add_output_option(parser)
    output.add_ascii_option(parser)
    output.add_run_dir_option(parser, RUN_DIR)
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=STATE_DIR,
        metavar="DIR",
        help=f"where the daemon keeps its history (default: {STATE_DIR})",
    )


def main(args: argparse.Namespace) -> int:
    """Show the newest moves, oldest first."""
    asked = output.targets(args)
    moves = _fetch(args)
    output.deliver(
        asked,
        {
            "text": lambda style: "\n".join(render(moves, style)),
            "json": lambda style: output.to_json(moves_to_json(moves)),
        },
        ascii_only=args.ascii,
    )
    return ExitCode.OK


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, not '{text}'")
    return number


def _fetch(args: argparse.Namespace) -> list[Move]:
    try:
        response = ask(args.run_dir, Request(RequestVerb.HISTORY, limit=args.number))
    except NoDaemonError:
        return _from_file(args.state_dir, args.number)
    if not response.ok:
        raise RefusedError(response.text)
    documents = (response.result or {}).get("moves")
    if not isinstance(documents, list):
        raise HostError("the daemon sent no history; is it of another version?")
    return [move for d in documents if (move := move_from_json(d)) is not None]


def _from_file(state_dir: Path, number: int) -> list[Move]:
    if state_dir.exists() and not state_dir.is_dir():
        raise UsageError(f"--state-dir {state_dir} is no directory")
    if not state_dir.is_dir():
        raise NothingError(
            f"no daemon runs on this server and it left no history (no directory {state_dir}): "
            "was it ever started here? --state-dir names another place"
        )
    try:
        return read_moves(state_dir, number)
    except OSError as error:
        raise HostError(f"cannot read the history in {state_dir}: {error.strerror}") from None


def render(moves: list[Move], style: Style) -> list[str]:
    """The history as lines of text."""
    if not moves:
        return ["no moves yet"]
    rows = [
        [
            output.local_time(move.at),
            _sentence(move, style),
            "" if move.duration_ms is None else output.duration(move.duration_ms),
            str(move.epoch),
            printable(move.reason + (f"; {move.detail}" if move.detail else "")),
        ]
        for move in moves
    ]
    header, *lines = output.table(["TIME", "MOVE", "TOOK", "EPOCH", "CAUSE"], rows)
    return [style.paint(header, Tone.FAINT), *lines]


def _sentence(move: Move, style: Style) -> str:
    arrow = style.glyph("→", "->")
    server = printable(move.server)
    peer = printable(move.peer) if move.peer else "(nobody)"
    return f"{peer} {arrow} {server}" if move.arrived else f"{server} {arrow} {peer}"
