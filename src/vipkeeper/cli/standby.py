"""`vipkeeper standby`: keep this server from holding the VIP, or let it again."""

from __future__ import annotations

import argparse

from vipkeeper.cli import output
from vipkeeper.daemon.protocol import RUN_DIR, Request, RequestVerb, ask
from vipkeeper.errors import ExitCode, RefusedError
from vipkeeper.text import printable

NAME = "standby"
HELP = """\
on: this server does not claim the VIP; when it holds it, it hands it over first.
off: it takes part again. The setting outlasts a restart of the daemon, not one of the host.

Exit codes: 0 done, 1 refused, 3 no daemon runs here."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "switch", choices=("on", "off"), metavar="on|off", help="whether this server stands by"
    )
    output.add_run_dir_option(parser, RUN_DIR)


def main(args: argparse.Namespace) -> int:
    """Ask the daemon."""
    request = Request(RequestVerb.STANDBY, on=args.switch == "on")
    response = ask(args.run_dir, request, timeout=15.0)
    if not response.ok:
        raise RefusedError(response.text)
    output.emit(printable(response.text))
    return ExitCode.OK
