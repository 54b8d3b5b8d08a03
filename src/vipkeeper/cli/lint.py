"""`vipkeeper lint`: find the mistake before it is an outage."""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_interface
from pathlib import Path

from vipkeeper.catalog.entry import Severity, Software
from vipkeeper.cli import output
from vipkeeper.cli.looking import named_servers
from vipkeeper.errors import ExitCode, HostError, NothingError, UsageError
from vipkeeper.lint.facts import Given
from vipkeeper.lint.fixing import Fixed, fix
from vipkeeper.lint.load import Input, live_inputs, load
from vipkeeper.lint.registry import all_rules, catalog
from vipkeeper.lint.rule import Safety
from vipkeeper.lint.run import Outcome, Selection, matches, run
from vipkeeper.lint.scope import Cluster, IPAddress
from vipkeeper.lint.version import Version, parse_version

NAME = "lint"
HELP = """\
Judge every file that decides whether the VIP answers: config.yaml of RKE2 and k3s, kube-vip, keepalived, haproxy,
kubeconfigs, systemd units, Helm values, cluster.yaml. Reads files only; needs no network and no cluster.

A path is a file, the folder of one server, or a folder with a folder for each server; NAME=PATH names the server.
Without a path, this host's own files are judged.

  vipkeeper lint cp1=./cp1 cp2=./cp2 cp3=./cp3 --vip 10.10.10.100

Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 usage, 3 nothing to look at."""

FORMATS = ("text", "concise", "json", "sarif", "junit", "github", "markdown")
_NEVER = "never"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("paths", nargs="*", metavar="[NAME=]PATH", help="file or folder")
    _add_given(parser)
    parser.add_argument(
        "--proposed",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="judge this file in the place of the one it would replace; repeatable",
    )
    parser.add_argument("--select", action="append", default=[], metavar="CODES", help="only these")
    parser.add_argument("--ignore", action="append", default=[], metavar="CODES", help="not these")
    parser.add_argument(
        "--severity", action="append", default=[], metavar="CODE=LEVEL", help="grade it differently"
    )
    parser.add_argument(
        "--fail-on",
        choices=[*(severity.value for severity in Severity), _NEVER],
        default=Severity.ERROR.value,
        help="exit with 1 from this severity on (default: error)",
    )
    fixing = parser.add_argument_group("fixes")
    fixing.add_argument("--fix", action="store_true", help="write safe fixes; FILE.bak is kept")
    fixing.add_argument(
        "--unsafe-fixes", action="store_true", help="with --fix or --diff: also those to look at"
    )
    fixing.add_argument("--diff", action="store_true", help="show fixes and write nothing")
    output.add_output_option(parser, FORMATS)
    output.add_ascii_option(parser)


def _add_given(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--vip", action="append", default=[], metavar="ADDRESS[,...]")
    parser.add_argument(
        "--servers",
        action="append",
        default=[],
        metavar="NAME=ADDRESS[/LENGTH][+...][,...]",
        help="all of them; several addresses of one as cp1=10.10.10.11/24+2001:db8::11/64",
    )
    parser.add_argument(
        "--release",
        action="append",
        default=[],
        metavar="PROGRAM=VERSION[,...]",
        help="what runs where no file says it, such as keepalived=2.2.7",
    )


def parse_given(words: Sequence[str]) -> Given:
    """What `--vip` and `--servers` say in a list of options."""
    parser = argparse.ArgumentParser()
    _add_given(parser)
    return _given(parser.parse_args(words))


def main(args: argparse.Namespace) -> int:
    """Read, judge, print."""
    gc.disable()  # trees have no cycles, and looking for some takes a quarter of the time
    try:
        return _lint(args)
    finally:
        gc.enable()


def _lint(args: argparse.Namespace) -> int:
    asked = output.targets(args)
    selection = _selection(args)
    inputs = [_input(word) for word in args.paths] or live_inputs()
    if not inputs:
        raise NothingError("this host has none of the files that are judged; name a file or folder")
    cluster = _load(inputs, args)
    if not cluster.sources and not cluster.problems:
        raise NothingError(f"nothing that can be judged in {', '.join(args.paths)}")
    outcome = run(cluster, date.today(), selection)
    if args.diff or args.fix:
        _note_unsafe(outcome, args)
    if args.diff:
        output.emit("".join(fixed.diff for fixed in _fixes(outcome, args)))
        return exit_code(outcome, args.fail_on)
    if args.fix and _write(outcome, args):
        cluster = _load(inputs, args)
        outcome = run(cluster, date.today(), selection)
    output.deliver(asked, _renderers(outcome), ascii_only=args.ascii)
    if _untold(outcome):
        output.note(f"{outcome.unread} could not be read or understood; select VK0 to see where")
    return exit_code(outcome, args.fail_on)


def _load(inputs: Sequence[Input], args: argparse.Namespace) -> Cluster:
    given = _given(args)
    if not args.paths:
        given = replace(given, host=os.uname().nodename.partition(".")[0])
    return load(inputs, given, [_input(word) for word in args.proposed])


def _fixes(outcome: Outcome, args: argparse.Namespace) -> list[Fixed]:
    return list(fix(outcome.findings, dict(outcome.cluster.sources), unsafe=args.unsafe_fixes))


def _note_unsafe(outcome: Outcome, args: argparse.Namespace) -> None:
    """Say that there are fixes which are not made unless asked for."""
    fixes = [finding.fix for finding in outcome.findings if finding.fix is not None]
    unsafe = sum(fix.safety is Safety.UNSAFE for fix in fixes)
    if unsafe and not args.unsafe_fixes:
        which = "a fix changes" if unsafe == 1 else f"{unsafe} fixes change"
        output.note(
            f"{which} what a file means: --diff --unsafe-fixes shows, --fix --unsafe-fixes writes"
        )


def _write(outcome: Outcome, args: argparse.Namespace) -> bool:
    """Write the fixed files, each with a copy of what it was beside it."""
    fixes = _fixes(outcome, args)
    for fixed in fixes:
        path = fixed.source.path
        if path is None:
            continue
        path = path.resolve()  # a link stays a link
        try:
            write_fixed(path, fixed.text)
        except OSError as error:
            raise HostError(f"--fix: cannot write {path}: {error.strerror}") from None
        output.note(f"{fixed.source.file}: {', '.join(fixed.titles)} (before: {path.name}.bak)")
    return bool(fixes)


def write_fixed(path: Path, text: str) -> None:
    """Replace a file at once, with its mode and owner, and keep the old one as FILE.bak."""
    old = path.read_bytes()
    info = path.stat()
    data = text.replace("\n", "\r\n") if b"\r\n" in old else text
    bom = b"\xef\xbb\xbf" if old.startswith(b"\xef\xbb\xbf") else b""
    for name, content in ((f"{path.name}.bak", old), (f".{path.name}.new", bom + data.encode())):
        copy = path.with_name(name)
        copy.unlink(missing_ok=True)
        handle = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            if (info.st_uid, info.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), info.st_uid, info.st_gid)
            os.fchmod(file.fileno(), info.st_mode & 0o7777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    path.with_name(f".{path.name}.new").replace(path)


def exit_code(outcome: Outcome, fail_on: str) -> ExitCode:
    """1 when a finding is as bad as `fail_on`, or worse."""
    if fail_on == _NEVER:
        return ExitCode.OK
    limit = Severity(fail_on).rank
    bad = any(finding.severity.rank <= limit for finding in outcome.findings)
    return ExitCode.FINDINGS if bad or _untold(outcome) else ExitCode.OK


def _untold(outcome: Outcome) -> bool:
    """Whether something could not be read and the selection keeps its finding away."""
    told = (*outcome.findings, *(quiet.finding for quiet in outcome.quiet))
    return outcome.unread > 0 and not any(finding.code.startswith("VK00") for finding in told)


def _renderers(outcome: Outcome) -> Mapping[str, Callable[[output.Style], str]]:
    def text(style: output.Style) -> str:
        from vipkeeper.report.lint import text
        from vipkeeper.report.style import Style

        looks = Style(color=style.colour, ascii=style.ascii)
        return text.render(outcome, looks, output.width(text.WIDTH))

    def other(name: str) -> Callable[[output.Style], str]:
        def render(_: output.Style) -> str:
            import importlib

            module = importlib.import_module(f"vipkeeper.report.lint.{name}")
            rendered: str = module.render(outcome)
            return rendered

        return render

    return {"text": text} | {name: other(name) for name in FORMATS if name != "text"}


def _input(word: str) -> Input:
    """`NAME=PATH` or `PATH`; a path that exists is no name, whatever signs are in it."""
    name, equals, path = word.partition("=")
    if not word:
        raise UsageError("an empty path; name a file or folder")
    if equals and "/" not in name and not os.path.exists(word):
        if not name or not path:
            raise UsageError(f"'{word}': expected NAME=PATH")
        return Input(Path(path), name)
    return Input(Path(word))


def _given(args: argparse.Namespace) -> Given:
    vips = tuple(_vip(word) for word in _words(args.vip))
    words = _words(args.servers)
    servers = named_servers(_first(word) for word in words)
    return Given(
        vips,
        servers,
        tuple(_release(word) for word in _words(args.release)),
        tuple(
            (name, *_interface(address))
            for word, (name, _) in zip(words, servers, strict=True)
            for address in _addresses(word)
        ),
    )


def _first(word: str) -> str:
    """The name of a server with its first address alone."""
    name, equals, _ = word.partition("=")
    address = _addresses(word)[0].partition("/")[0]
    return f"{name}={address}" if equals else address


def _addresses(word: str) -> list[str]:
    _, equals, addresses = word.partition("=")
    return (addresses if equals else word).split("+")


def _interface(word: str) -> tuple[IPAddress, IPv4Network | IPv6Network | None]:
    try:
        found = ip_interface(word)
    except ValueError:
        raise UsageError(f"--servers: '{word}': expected ADDRESS or ADDRESS/LENGTH") from None
    return found.ip, found.network if "/" in word else None


def _release(word: str) -> tuple[Software, Version]:
    name, _, text = word.partition("=")
    software = next((known for known in Software if known.value == name.lower()), None)
    version = parse_version(text)
    if software is None or version is None:
        names = ", ".join(known.value for known in Software)
        raise UsageError(f"--release: '{word}': expected PROGRAM=VERSION; programs: {names}")
    return software, version


def _vip(word: str) -> IPAddress:
    try:
        return ip_address(word)
    except ValueError:
        raise UsageError(f"--vip: '{word}' is no address") from None


def _selection(args: argparse.Namespace) -> Selection:
    severities = []
    for word in args.severity:
        pattern, _, level = word.partition("=")
        if level not in [severity.value for severity in Severity]:
            raise UsageError(f"--severity: '{word}': expected CODE=error, =warning or =info")
        severities.append((pattern, Severity(level)))
    chosen = Selection(_words(args.select), _words(args.ignore), tuple(severities))
    for pattern in (*chosen.select, *chosen.ignore, *(pattern for pattern, _ in severities)):
        if not any(matches(pattern, registered) for registered in all_rules()):
            near = catalog().near(pattern)
            hint = f"; did you mean {near}?" if near else " (see 'vipkeeper explain --list')"
            raise UsageError(f"no rule is named '{pattern}'{hint}")
    return chosen


def _words(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())
