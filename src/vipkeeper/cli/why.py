"""`vipkeeper why`: the root cause of a VIP that does not answer."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vipkeeper.cli import looking, output
from vipkeeper.errors import ExitCode, HostError, UsageError
from vipkeeper.text import printable

if TYPE_CHECKING:
    from vipkeeper.diagnose.engine import Diagnosis
    from vipkeeper.diagnose.facts import Evidence, Fact
    from vipkeeper.wire.types import IPAddress

NAME = "why"
HELP = """\
Why the VIP does not answer: the root cause with its evidence, what was ruled out, a fix, and the probe that would
settle what is still open. Looks at this host and at what it can reach, and changes nothing.

On a server as root it sees most. From a workstation name VIP and servers:

  vipkeeper why 10.10.10.100 --servers cp1=10.10.10.11,cp2=10.10.10.12,cp3=10.10.10.13

Elsewhere, from what `vipkeeper collect` or Rancher's log collector wrote on each server:

  vipkeeper why --from vipkeeper-cp1-*.tar.gz vipkeeper-cp2-*.tar.gz

--facts FILE judges facts that --keep wrote, also together with bundles.

Exit codes: 0 healthy, 1 a root cause, 2 usage, 3 nothing to look at, 4 undetermined."""

NOTED = 5
"""Lines that are no facts and are told one by one."""
ENOUGH = 12
"""Seconds between two looks: an election of etcd takes 4-7 s, and 10 s count as lasting."""
LONGEST_WAIT = 600
FORMATS = ("text", "json", "markdown", "html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    looking.add_arguments(parser)
    parser.add_argument(
        "--from",
        dest="bundles",
        action="extend",
        nargs="+",
        default=[],
        type=Path,
        metavar="BUNDLE",
        help="judge bundles of `vipkeeper collect` or of Rancher's log collector, packed or not, of "
        "several servers at once, and look at nothing",
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
        "--wait",
        type=_seconds,
        metavar="SECONDS",
        help="look a second time so long afterwards: what may pass, such as a restart, is a finding only "
        f"when it lasts; {ENOUGH} are enough for most",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="also write the facts to this file"
    )
    output.add_output_option(parser, FORMATS)
    output.add_ascii_option(parser)


def main(args: argparse.Namespace) -> int:
    """Collect or read, judge, print."""
    from vipkeeper.collect.derive import derive
    from vipkeeper.diagnose.again import held_back
    from vipkeeper.diagnose.codec import dump
    from vipkeeper.diagnose.engine import diagnose
    from vipkeeper.diagnose.facts import Evidence
    from vipkeeper.diagnose.registry import all_hypotheses

    if args.diff:
        if args.facts or args.bundles or args.wait or args.vip:
            raise UsageError(
                "--diff compares its two files only: no VIP, --from, --facts or --wait with it"
            )
        return _diff(*args.diff)
    asked = output.targets(args)
    if args.facts or args.bundles:
        names = tuple(name for name, _ in looking.servers(args))
        told = looking.about(args.vip, names, "--servers")
        facts = (*told, *_bundles(args), *_read(args.facts))
    else:
        facts = _look(args)
    evidence = Evidence(derive(facts))
    _same_vip(args.vip, evidence)
    if args.keep is not None:
        try:
            output.write_whole(args.keep, dump(evidence))
        except OSError as error:
            raise HostError(f"--keep: cannot write {args.keep}: {error.strerror}") from None
    hypotheses = [r.hypothesis for r in all_hypotheses()]
    diagnosis = diagnose(evidence, hypotheses)
    output.deliver(asked, _renderers(diagnosis), ascii_only=args.ascii)
    if not (args.facts or args.bundles or args.wait):
        codes = held_back(evidence, hypotheses, ENOUGH * 1000)
        if codes:
            settled = ", ".join(codes)
            output.note(f"a second look would settle {settled}: run it again with --wait {ENOUGH}")
    return exit_code(diagnosis)


def _look(args: argparse.Namespace) -> tuple[Fact, ...]:
    """What this host sees, once or twice."""
    looked = looking.look(args)
    if args.wait is None:
        return looked.facts
    time.sleep(args.wait)
    return (*looked.facts, *looking.again(looked))


def _seconds(word: str) -> int:
    if word.isascii() and word.isdecimal() and len(word) < 6 and 0 < int(word) <= LONGEST_WAIT:
        return int(word)
    raise argparse.ArgumentTypeError(f"'{word}' is no number of seconds from 1 to {LONGEST_WAIT}")


def _same_vip(asked: IPAddress | None, evidence: Evidence) -> None:
    """What was collected must be about the VIP that is asked about."""
    from vipkeeper.diagnose.vocabulary import Key

    others = {str(fact.value) for fact in evidence.of(Key.VIP) if fact.known} - {str(asked)}
    if asked is not None and others:
        found = ", ".join(sorted(others))
        raise UsageError(f"the facts are about the VIP {found}, and {asked} is asked about")


def _diff(before: Path, after: Path) -> ExitCode:
    from vipkeeper.diagnose.changes import changes
    from vipkeeper.diagnose.facts import Evidence
    from vipkeeper.report.why.changes import render

    found = changes(Evidence(_read([before], "--diff")), Evidence(_read([after], "--diff")))
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

    titles = {r.hypothesis.code: r.page.title for r in all_hypotheses()}
    title_of = titles.__getitem__

    def text(style: output.Style) -> str:
        from vipkeeper.report.style import Style
        from vipkeeper.report.why.text import render

        return render(diagnosis, title_of, Style(color=style.colour, ascii=style.ascii))

    def json(_: output.Style) -> str:
        from vipkeeper.report.why.json import render

        return render(diagnosis, title_of)

    def markdown(_: output.Style) -> str:
        from vipkeeper.report.why.markdown import render

        return render(diagnosis, title_of)

    def html(_: output.Style) -> str:
        from vipkeeper.report.why.html import render

        return render(diagnosis, title_of)

    return {"text": text, "json": json, "html": html, "markdown": markdown}


def _bundles(args: argparse.Namespace) -> tuple[Fact, ...]:
    """Facts of bundles. What they say they lack is told on stderr, unless a fact says it.

    Raises:
        UsageError: one is no bundle.
    """
    facts: list[Fact] = []
    for path in args.bundles:
        from vipkeeper.collect.read import read

        reading = read(path, "" if args.vip is None else str(args.vip))
        if reading.kind is None:
            why = reading.troubles[0].removeprefix(f"{path}: ").removeprefix("the archive: ")
            raise UsageError(f"--from: {printable(str(path))}: {why}")
        said = looking.blind(reading.facts)
        for trouble in reading.troubles:
            if trouble not in said:
                output.note(f"{printable(path.name)}: {trouble}")
        facts += reading.facts
    return tuple(facts)


def _read(paths: Sequence[Path], option: str = "--facts") -> tuple[Fact, ...]:
    """Facts of files; a line that is none is told on stderr and left out."""
    from vipkeeper.diagnose.codec import load

    facts: list[Fact] = []
    for path in paths:
        try:
            content = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise UsageError(f"{option}: cannot read {path}: {error.strerror}") from None
        found, wrong = load(content)
        if wrong and not found:
            raise UsageError(
                f"{option}: {printable(str(path))} is no file of facts ({wrong[0]}): it has one JSON object a line; "
                "'vipkeeper why --keep FILE' writes one, and a bundle of 'vipkeeper collect' goes to --from"
            )
        for line in wrong[:NOTED]:
            output.note(f"{path}: {line}")
        if len(wrong) > NOTED:
            output.note(f"{path}: and {len(wrong) - NOTED} more lines that are no facts")
        facts += found
    return tuple(facts)
