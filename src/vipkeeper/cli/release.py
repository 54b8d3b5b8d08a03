"""`vipkeeper release`: take the VIP off this server and keep it off."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from vipkeeper.cli import output
from vipkeeper.core.actions import AddressOperation
from vipkeeper.core.events import AddressOutcome
from vipkeeper.core.types import AddressState
from vipkeeper.daemon.protocol import RUN_DIR, NoDaemonError, Request, RequestVerb, ask
from vipkeeper.errors import ExitCode, HostError, RefusedError
from vipkeeper.text import printable
from vipkeeper.wire.types import IPAddress

NAME = "release"
HELP = """\
Take the VIP off this server and keep it off. A live daemon is asked: it releases the VIP, tells its
successor, and claims nothing until 'vipkeeper standby off'. Where no daemon runs, the VIP is removed
from this host's interfaces if it has a running lifetime; a permanent address is not ours and stays.
The table of a strict lease (kernel_lease: strict) goes after it.

Exit codes: 0 the VIP is not on this server, 1 refused, 2 no permission or no configuration."""

DEFAULT_CONFIG = Path("/etc/vipkeeper/cluster.yaml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help=f"names the VIPs where no daemon runs (default: {DEFAULT_CONFIG})",
    )
    parser.add_argument(
        "--vip",
        action="append",
        type=_address,
        metavar="ADDRESS",
        help="a VIP to remove where no daemon runs, instead of those in --config; repeatable",
    )
    parser.add_argument(
        "--after-stop",
        action="store_true",
        help="for ExecStopPost= of the unit: remove the VIP only if $SERVICE_RESULT is success; "
        "after a crash the kernel lease decides",
    )
    output.add_run_dir_option(parser, RUN_DIR)


def _address(text: str) -> IPAddress:
    try:
        return ip_address(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected an IP address, not '{text}'") from None


def main(args: argparse.Namespace) -> int:
    """Ask the daemon, or remove the VIP where there is none."""
    if args.after_stop:
        result = os.environ.get("SERVICE_RESULT", "unknown")
        if result != "success":
            output.note(f"the daemon ended with result '{result}': the kernel lease decides")
            return ExitCode.OK
    else:
        try:
            response = ask(args.run_dir, Request(RequestVerb.RELEASE), timeout=15.0)
        except NoDaemonError:
            output.note("no daemon runs on this server; removing the VIP without one")
        else:
            if not response.ok:
                raise RefusedError(response.text)
            output.emit(printable(response.text))
            return ExitCode.OK
    output.emit("\n".join(asyncio.run(_remove(args.vip or _configured(args.config)))))
    return ExitCode.OK


def _configured(path: Path) -> Sequence[IPAddress]:
    from vipkeeper.config.load import load

    return load(path).vips


async def _remove(vips: Sequence[IPAddress]) -> list[str]:
    """Remove what is leased; one line a VIP about what was there.

    Raises:
        HostError: the kernel refused.
    """
    from vipkeeper.host import strict
    from vipkeeper.host.clock import now
    from vipkeeper.host.netlink import Addresses

    addresses = Addresses(vips, own=vips[0], interface=None, clock=now)
    addresses.open()
    try:
        before = {view.vip: view.state for view in addresses.view().vips}
        if AddressState.LEASED in before.values():
            outcome, _, _, detail = addresses.change(AddressOperation.REMOVE, 0, None)
            if outcome is not AddressOutcome.DONE:
                raise HostError(f"cannot remove the VIP: {detail}; run as root")
    finally:
        addresses.close()
    said = {
        AddressState.ABSENT: "{} is not on this server",
        AddressState.LEASED: "{} removed",
        AddressState.PERMANENT: "{} is a permanent address of this server, not ours: left alone",
    }
    lines = [said[state].format(vip) for vip, state in before.items()]
    if await strict.left_over():
        await strict.remove()
        lines.append(f"the table of its strict lease (nftables, {strict.TABLE}) removed")
    return lines
