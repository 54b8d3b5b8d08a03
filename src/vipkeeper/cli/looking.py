"""What `why` and `collect` have in common: which VIP, which servers, and the facts of this host."""

from __future__ import annotations

import argparse
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from vipkeeper.errors import NothingError, UsageError
from vipkeeper.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vipkeeper.collect.files import Files
    from vipkeeper.collect.target import Target
    from vipkeeper.diagnose.facts import Fact
    from vipkeeper.wire.types import IPAddress


@dataclass(frozen=True, slots=True)
class Looked:
    """What this host sees."""

    target: Target
    files: Files
    facts: tuple[Fact, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is looked at: VIP and servers."""
    parser.add_argument("vip", nargs="?", type=_address, metavar="VIP")
    parser.add_argument(
        "--servers",
        action="append",
        default=[],
        metavar="NAME=ADDRESS[,...]",
        help="all control-plane servers; without it, those that this host's files name",
    )


def look(args: argparse.Namespace) -> Looked:
    """Facts of this host and of what it can reach.

    Raises:
        NothingError: nothing says which VIP is meant.
        UsageError: the files name several, or `--servers` cannot be read.
    """
    from vipkeeper.collect.collector import run
    from vipkeeper.collect.files import read
    from vipkeeper.collect.live import COLLECTORS
    from vipkeeper.lint.facts import Given

    vips = () if args.vip is None else (args.vip,)
    files = read(Given(vips, servers(args)))
    target = _target(files)
    all_names = tuple(server.name for server in target.servers) if target.complete else ()
    told = about(target.vip, all_names, "files or --servers")
    facts = (*told, *files.facts(target.own or target.place), *run(COLLECTORS, target))
    return Looked(target, files, facts)


def again(looked: Looked) -> tuple[Fact, ...]:
    """What a second look finds: not the logs, which go back an hour, nor what only the first one can see."""
    from vipkeeper.collect.collector import Phase, run
    from vipkeeper.collect.live import COLLECTORS, logs

    passing = [c for c in COLLECTORS if c.phase is not Phase.PASSIVE and c not in logs.COLLECTORS]
    return run(passing, looked.target)


def servers(args: argparse.Namespace) -> tuple[tuple[str, IPAddress], ...]:
    """What `--servers` says.

    Raises:
        UsageError: an address is none.
    """
    return named_servers(word for words in args.servers for word in words.split(",") if word)


def named_servers(words: Iterable[str]) -> tuple[tuple[str, IPAddress], ...]:
    """The words of `--servers`, NAME=ADDRESS or an address that is its own name.

    Raises:
        UsageError: an address is none, or a name is given twice.
    """
    found = tuple(_server(word) for word in words)
    names = [name for name, _ in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"--servers: '{printable(twice)}' is named twice; name each server once")
    return found


def about(vip: IPAddress | None, names: tuple[str, ...], source: str) -> tuple[Fact, ...]:
    """What is said of the cluster: the VIP that is asked about, and all servers where they are known."""
    from vipkeeper.diagnose.facts import Fact
    from vipkeeper.diagnose.vocabulary import Key

    told = [] if vip is None else [Fact(Key.VIP, str(vip), source="asked for")]
    if names:
        told.append(Fact(Key.SERVERS, names, source=source))
    return tuple(told)


def blind(facts: Iterable[Fact]) -> tuple[str, ...]:
    """What could not be known, one line each, as bundles say it too."""
    return tuple(dict.fromkeys(f"{f.source}: {f.unknown}" for f in facts if not f.known))


def _target(files: Files) -> Target:
    from vipkeeper.collect.target import SUPERVISOR_FOLDERS, ServerAddress, Target
    from vipkeeper.host.inspect import read_network

    if not files.vips:
        raise NothingError("no file of this host names a VIP; name it, as in 10.10.10.100")
    if len(files.vips) > 1:
        several = ", ".join(str(vip) for vip in files.vips)
        raise UsageError(f"the files of this host name several VIPs; say which one: {several}")
    vip, servers = files.vips[0], files.servers
    _, addresses = read_network()
    here = {address.address.ip for address in addresses or ()} - {vip}
    own = next((server.name for server in servers if server.address in here), "")
    if not own and any(Path(folder).is_dir() for folder in SUPERVISOR_FOLDERS):
        own = socket.gethostname()
        # The VIP may be the first one, and is never the server's own.
        near = (a.address.ip for a in addresses or () if vip in a.address.network)
        first = next((address for address in near if address != vip), None)
        servers += (ServerAddress(own, first),) if first is not None else ()
    return Target(vip, servers, files.complete, own, place=own or socket.gethostname())


def _server(word: str) -> tuple[str, IPAddress]:
    name, equals, address = word.strip().partition("=")
    shown = address if equals else name
    try:
        return name, ip_address(shown)
    except ValueError:
        raise UsageError(f"--servers: '{shown}' is no address") from None


def _address(word: str) -> IPAddress:
    try:
        return ip_address(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{word}' is no address") from None
