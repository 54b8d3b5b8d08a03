"""`vipkeeper collect`: what this server knows, as a bundle."""

from __future__ import annotations

import argparse
import io
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vipkeeper import __version__
from vipkeeper.cli import looking, output
from vipkeeper.errors import ExitCode, HostError

if TYPE_CHECKING:
    from vipkeeper.collect.bundle import Clock, Manifest, Text

NAME = "collect"
HELP = """\
What this server knows at this moment, as a bundle for `vipkeeper why --from`: facts, the files that were judged and the
ends of the logs. Secrets are taken out. Looks at this host and at what it can reach, and changes nothing. Run it as
root on every server that can be reached, then take the bundles to one place.

  vipkeeper collect
  vipkeeper collect 10.10.10.100 --output /tmp/cp1.tar.gz
  ssh cp2 vipkeeper collect --output - > cp2.tar.gz

Exit codes: 0 written, 2 usage or not writable, 3 no VIP to look at."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    looking.add_arguments(parser)
    parser.add_argument(
        "--output",
        "-o",
        default=".",
        metavar="FILE",
        help="the bundle, or a folder in which it is named after server and time (default: the "
        "current one); - is stdout",
    )
    parser.add_argument(
        "--anonymise",
        action="store_true",
        help="also rewrite addresses and host names, the same one always the same way",
    )


def main(args: argparse.Namespace) -> int:
    """Look, and write down what was found."""
    from vipkeeper.collect.bundle import save, write

    looked = looking.look(args)
    failed = looking.blind(looked.facts)
    manifest = _manifest(looked, failed)
    names = _names() if args.anonymise else None
    content = (manifest, looked.facts, _texts(looked), names)
    try:
        if args.output == "-":
            packed = io.BytesIO()
            write(packed, *content)
            sys.stdout.buffer.write(packed.getvalue())
        else:
            output.emit(str(save(Path(args.output), *content)))
    except OSError as error:
        what = error.strerror or str(error)
        raise HostError(f"--output: cannot write {args.output}: {what}") from None
    if failed:
        output.note(f"could not be collected: {len(failed)}; the bundle says what")
    return ExitCode.OK


def _manifest(looked: looking.Looked, failed: tuple[str, ...]) -> Manifest:
    from vipkeeper.collect.bundle import Manifest
    from vipkeeper.collect.target import now

    return Manifest(
        server=looked.target.own or looked.target.place,
        made_at=now(),
        vipkeeper=__version__,
        clock=_clock(),
        could_not_collect=failed,
    )


def _clock() -> Clock:
    from vipkeeper.collect.bundle import Clock
    from vipkeeper.host.inspect import program_output

    said = program_output("timedatectl", "show", "--property", "NTPSynchronized", "--value")
    kept = {"yes": True, "no": False}.get((said or "").strip())
    return Clock(time.localtime().tm_gmtoff, kept)


def _texts(looked: looking.Looked) -> Iterator[Text]:
    from vipkeeper.collect.live import logs

    yield from looked.files.texts()
    if looked.target.own and looked.target.root:
        yield from logs.texts(looked.target)


def _names() -> tuple[str, ...]:
    """What this host is called, with its domain."""
    name = socket.gethostname()  # never asked of a resolver, which may be as dead as the VIP
    short, _, domain = name.partition(".")
    return (name, short, domain)
