"""`vipkeeper why`: the root cause of a VIP that does not answer."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from vipkeeper.cli import output
from vipkeeper.errors import ExitCode, HostError, NothingError, UsageError

if TYPE_CHECKING:
    from vipkeeper.collect.files import Files
    from vipkeeper.collect.target import Target
    from vipkeeper.diagnose.engine import Diagnosis
    from vipkeeper.diagnose.facts import Fact
    from vipkeeper.wire.types import IPAddress

NAME = "why"
HELP = """\
Why the VIP does not answer: the root cause with its evidence, what was ruled out, a fix, and the probe that would
settle what is still open. Looks at this host and at what it can reach, and changes nothing.

On a server as root it sees most. From a workstation name VIP and servers:

  vipkeeper why 10.10.10.100 --servers cp1=10.10.10.11,cp2=10.10.10.12,cp3=10.10.10.13

--facts FILE judges facts that were collected before, also from several places at once.

Exit codes: 0 healthy, 1 a root cause, 2 usage, 3 nothing to look at, 4 undetermined."""

FORMATS = ("text", "json", "markdown", "html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("vip", nargs="?", type=_address, metavar="VIP")
    parser.add_argument(
        "--servers",
        action="append",
        default=[],
        metavar="NAME=ADDRESS[,...]",
        help="all control-plane servers; without it, those that this host's files name",
    )
    parser.add_argument(
        "--facts",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="judge these facts and look at nothing; repeatable",
    )
    parser.add_argument(
        "--diff",
        nargs=2,
        type=Path,
        metavar=("BEFORE", "AFTER"),
        help="what changed between two files of facts, and no diagnosis",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="also write the facts to this file"
    )
    output.add_output_option(parser, FORMATS)
    output.add_ascii_option(parser)


def main(args: argparse.Namespace) -> int:
    """Collect or read, judge, print."""
    from vipkeeper.collect.derive import derive
    from vipkeeper.diagnose.codec import dump
    from vipkeeper.diagnose.engine import diagnose
    from vipkeeper.diagnose.facts import Evidence
    from vipkeeper.diagnose.registry import all_hypotheses

    if args.diff:
        return _diff(*args.diff)
    asked = output.targets(args)
    facts = _read(args.facts) if args.facts else _look(args)
    evidence = Evidence(derive(facts))
    if args.keep is not None:
        try:
            args.keep.write_text(dump(evidence), encoding="utf-8")
        except OSError as error:
            raise HostError(f"--keep: cannot write {args.keep}: {error.strerror}") from None
    diagnosis = diagnose(evidence, [r.hypothesis for r in all_hypotheses()])
    output.deliver(asked, _renderers(diagnosis), ascii_only=args.ascii)
    return exit_code(diagnosis)


def _diff(before: Path, after: Path) -> ExitCode:
    from vipkeeper.diagnose.changes import changes
    from vipkeeper.diagnose.facts import Evidence
    from vipkeeper.report.why.changes import render

    found = changes(Evidence(_read([before])), Evidence(_read([after])))
    output.emit(render(found) or "nothing changed")
    return ExitCode.FINDINGS if found else ExitCode.OK


def exit_code(diagnosis: Diagnosis) -> ExitCode:
    """What the process says to a script."""
    from vipkeeper.diagnose.engine import Verdict

    return {
        Verdict.ROOT_CAUSE: ExitCode.FINDINGS,
        Verdict.HEALTHY: ExitCode.OK,
        Verdict.UNDETERMINED: ExitCode.UNDETERMINED,
        Verdict.NOTHING: ExitCode.NOTHING,
    }[diagnosis.verdict]


def _renderers(diagnosis: Diagnosis) -> Mapping[str, Callable[[output.Style], str]]:
    from vipkeeper.diagnose.registry import all_hypotheses
    from vipkeeper.report.style import Style
    from vipkeeper.report.why import html, json, markdown, text

    titles = {r.hypothesis.code: r.page.title for r in all_hypotheses()}
    title_of = titles.__getitem__

    def terminal(style: output.Style) -> str:
        return text.render(diagnosis, title_of, Style(color=style.colour, ascii=style.ascii))

    return {
        "text": terminal,
        "json": lambda _: json.render(diagnosis, title_of),
        "html": lambda _: html.render(diagnosis, title_of),
        "markdown": lambda _: markdown.render(diagnosis, title_of),
    }


def _read(paths: Sequence[Path]) -> tuple[Fact, ...]:
    """Facts of files; a line that is none is told on stderr and left out."""
    from vipkeeper.diagnose.codec import load

    facts: list[Fact] = []
    for path in paths:
        try:
            content = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise UsageError(f"--facts: cannot read {path}: {error.strerror}") from None
        found, wrong = load(content)
        for line in wrong:
            output.note(f"{path}: {line}")
        facts += found
    return tuple(facts)


def _look(args: argparse.Namespace) -> tuple[Fact, ...]:
    """Facts of this host and of what it can reach."""
    from vipkeeper.collect.collector import run
    from vipkeeper.collect.files import read
    from vipkeeper.collect.live import COLLECTORS
    from vipkeeper.lint.facts import Given

    servers = tuple(_server(word) for words in args.servers for word in words.split(",") if word)
    vips = () if args.vip is None else (args.vip,)
    files = read(Given(vips, servers))
    target = _target(files)
    return (*_about(target), *files.facts(target.own or target.place), *run(COLLECTORS, target))


def _target(files: Files) -> Target:
    from vipkeeper.collect.target import SUPERVISOR_FOLDERS, ServerAddress, Target
    from vipkeeper.host.inspect import read_network

    if not files.vips:
        raise NothingError("no file of this host names a VIP; name it: vipkeeper why 10.10.10.100")
    if len(files.vips) > 1:
        several = ", ".join(str(vip) for vip in files.vips)
        raise UsageError(f"the files of this host name several VIPs; say which one: {several}")
    vip, servers = files.vips[0], files.servers
    _, addresses = read_network()
    here = {address.address.ip for address in addresses or ()} - {vip}
    own = next((server.name for server in servers if server.address in here), "")
    if not own and any(Path(folder).is_dir() for folder in SUPERVISOR_FOLDERS):
        own = socket.gethostname()
        first = next((a.address.ip for a in addresses or () if vip in a.address.network), None)
        servers += (ServerAddress(own, first),) if first is not None else ()
    return Target(vip, servers, files.complete, own, place=own or socket.gethostname())


def _about(target: Target) -> tuple[Fact, ...]:
    from vipkeeper.diagnose.facts import Fact
    from vipkeeper.diagnose.vocabulary import Key

    told = [Fact(Key.VIP, str(target.vip), source="asked for")]
    if target.complete:
        names = tuple(server.name for server in target.servers)
        told.append(Fact(Key.SERVERS, names, source="files or --servers"))
    return tuple(told)


def _server(word: str) -> tuple[str, IPAddress]:
    name, equals, address = word.strip().partition("=")
    return name, _named("--servers", address if equals else name)


def _named(option: str, word: str) -> IPAddress:
    try:
        return ip_address(word)
    except ValueError:
        raise UsageError(f"{option}: '{word}' is no address") from None


def _address(word: str) -> IPAddress:
    try:
        return ip_address(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{word}' is no address") from None
