"""`vipkeeper handover`: move the VIP to another server now."""

from __future__ import annotations

import argparse

from vipkeeper.cli import output
from vipkeeper.daemon.protocol import RUN_DIR, Request, RequestVerb, ask
from vipkeeper.errors import ExitCode, RefusedError
from vipkeeper.text import printable

NAME = "handover"
HELP = """\
Move the VIP from this server, which must hold it, to another one: the address leaves first, then the
named server claims it. Refused when that server is unready or silent, unless forced.

Exit codes: 0 handed over, 1 refused, 3 no daemon runs here."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--to", metavar="NAME", help="the server to hand over to (default: the best)"
    )
    parser.add_argument(
        "--force", action="store_true", help="also to a server that is unready or silent"
    )
    output.add_run_dir_option(parser, RUN_DIR)


def main(args: argparse.Namespace) -> int:
    """Ask the daemon."""
    request = Request(RequestVerb.HANDOVER, to=args.to, force=args.force)
    response = ask(args.run_dir, request, timeout=15.0)
    if not response.ok:
        raise RefusedError(response.text)
    output.emit(printable(response.text))
    return ExitCode.OK
