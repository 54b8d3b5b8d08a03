"""The command line: find the verb, run it, turn every end into an exit code.

A verb is a module named in `VERBS`. It has NAME, HELP (what `vipkeeper VERB --help` says first),
`add_arguments(parser)` and `main(args) -> int`, and is imported only when it is the one asked for:
`vipkeeper --help` stays fast, and the daemon carries nothing of the other verbs.

Only this module prints errors and catches what nobody else catches.
"""

from __future__ import annotations

import _thread
import argparse
import contextlib
import difflib
import errno
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, cast

from vipkeeper import __version__
from vipkeeper.errors import ExitCode, UsageError, VipkeeperError

DEBUG_VARIABLE = "VIPKEEPER_DEBUG"
PIPE_CLOSED = 141
"""What a shell reports for a program that SIGPIPE ended: the reader of stdout has gone."""
AtWork = Callable[[], contextlib.AbstractContextManager[None]]
"""What is around the work of a verb."""
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class VerbModule(Protocol):
    """What the module of a verb has."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's options."""

    def main(self, args: argparse.Namespace) -> int:
        """Do it; the result is the exit code."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One line of the overview, and where the verb lives."""

    name: str
    group: str
    summary: str

    @property
    def module(self) -> str:
        """Import path of the verb's module."""
        return f"vipkeeper.cli.{self.name}"


_HOLD = "Hold the VIP"
_LOOK = "See what is going on"
_FIND = "Find the cause"
_SET_UP = "Set up"
_PROVE = "Prove it"

VERBS: tuple[Verb, ...] = (
    Verb("run", _HOLD, "run the daemon that takes part in holding the VIP"),
    Verb("handover", _HOLD, "move the VIP to another server now, in milliseconds"),
    Verb("standby", _HOLD, "keep this server from holding the VIP, or let it again"),
    Verb("release", _HOLD, "take the VIP off this server and keep it off"),
    Verb("status", _LOOK, "who holds the VIP, who would be next, how every server is"),
    Verb("history", _LOOK, "every move of this server with its time, cause and duration"),
    Verb("why", _FIND, "the root cause of a VIP that does not answer, and what to do"),
    Verb(
        "collect", _FIND, "what this server knows, as a bundle for 'why' elsewhere, without secrets"
    ),
    Verb("lint", _FIND, "judge every file that decides whether the VIP answers"),
    Verb("explain", _FIND, "what a code means, why it is bad and how to mend it"),
    Verb("init", _SET_UP, "write the configuration, the key and the systemd unit"),
    Verb("doctor", _SET_UP, "say whether this host can run the daemon, and what to mend"),
    Verb("drill", _PROVE, "break a cluster in a box and measure what a client sees"),
    Verb("simulate", _PROVE, "play seeded faults in virtual time and check every promise"),
    Verb("report", _PROVE, "draw the pictures and pages of a recorded drill"),
)

_EPILOG = """\
examples:
  vipkeeper init --vip 10.10.10.100 --server cp1=10.10.10.11 --server cp2=10.10.10.12 --server cp3=10.10.10.13
  vipkeeper status --watch

`vipkeeper VERB --help` explains one verb.
Exit codes: 0 fine, 1 findings or refused, 2 usage or configuration, 3 nothing to look at,
4 undetermined, 70 internal error.
"""


class _Parser(argparse.ArgumentParser):
    """argparse whose own errors are ours: one line, exit code 2, no usage text before it."""

    def error(self, message: str) -> NoReturn:
        where = self.prog.removeprefix("vipkeeper").strip()
        prefix = f"{where}: " if where else ""
        raise UsageError(f"{prefix}{message} (see '{self.prog} --help')")

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse swallows what goes wrong here; a full disk must not look like success.
        (file or sys.stdout).write(message)


def _overview() -> argparse.ArgumentParser:
    """The parser of everything before the verb; its help text lists all verbs in their groups."""
    width = max(len(verb.name) for verb in VERBS)
    lines = ["Holds the virtual IP (VIP) of a Kubernetes control plane, on RKE2, k3s and kubeadm."]
    for group in dict.fromkeys(verb.group for verb in VERBS):
        lines += ["", f"{group}:"]
        lines += [f"  {v.name:<{width}}  {v.summary}" for v in VERBS if v.group == group]
    parser = _Parser(
        prog="vipkeeper",
        usage="vipkeeper VERB [options]",
        description="\n".join(lines),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"vipkeeper {__version__}")
    return parser


def _find(name: str) -> Verb:
    """The verb of that name.

    Raises:
        UsageError: there is none; names the nearest one.
    """
    for verb in VERBS:
        if verb.name == name:
            return verb
    near = difflib.get_close_matches(name, [verb.name for verb in VERBS], n=1)
    hint = f"did you mean '{near[0]}'?" if near else "see 'vipkeeper --help' for all verbs"
    raise UsageError(f"unknown verb '{name}'; {hint}")


def _dispatch(argv: Sequence[str], at_work: AtWork) -> int:
    if not argv:
        _overview().print_help(sys.stderr)
        return ExitCode.USAGE
    if argv[0].startswith("-"):
        _overview().parse_args(argv[:1])
        raise UsageError("a verb must come first (see 'vipkeeper --help')")
    verb = _find(argv[0])
    module = cast(VerbModule, importlib.import_module(verb.module))
    parser = _Parser(
        prog=f"vipkeeper {verb.name}",
        description=module.HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    args = parser.parse_args(argv[1:])
    with at_work():
        return module.main(args)


def _say(text: str) -> None:
    """Print an error; a stderr that is gone must not turn it into another error."""
    if sys.stderr is None:
        return
    with contextlib.suppress(OSError):
        sys.stderr.writelines(f"vipkeeper: {line}\n" for line in text.splitlines() or [""])


def _internal(error: Exception) -> int:
    if os.environ.get(DEBUG_VARIABLE):
        import traceback

        traceback.print_exception(error)
    summary = " ".join(str(error).split())
    _say(
        f"internal error ({type(error).__name__}: {summary}); please report it; "
        f"set {DEBUG_VARIABLE}=1 for the traceback"
    )
    return ExitCode.INTERNAL


def _leave_stdout() -> None:
    """Point stdout to nowhere, so that the interpreter's last flush has nothing to complain of."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass


def main(argv: Sequence[str] | None = None, at_work: AtWork = contextlib.nullcontext) -> int:
    """Run one command line (default: the process's own) and return its exit code.

    `at_work` is around what the verb does, and not around what leads to it.
    """
    try:
        try:
            code = _dispatch(sys.argv[1:] if argv is None else argv, at_work)
        except SystemExit as done:  # argparse ends this way after --help and --version
            code = done.code if isinstance(done.code, int) else ExitCode.OK
        if sys.stdout is not None:
            sys.stdout.flush()
        return int(code)
    except VipkeeperError as error:
        _say(str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        _leave_stdout()
        return PIPE_CLOSED
    except OSError as error:
        if error.errno not in _DISK_FULL:
            return int(_internal(error))
        _leave_stdout()
        _say(f"cannot write the result: {error.strerror}")
        return int(ExitCode.USAGE)
    except Exception as error:  # noqa: BLE001 - the one place where nothing may get past
        if isinstance(
            error.__cause__, KeyboardInterrupt
        ):  # a class that was being made (Python 3.11)
            return int(ExitCode.INTERRUPTED)
        return int(_internal(error))


def _interrupt_again(ignored: sys.UnraisableHookArgs) -> None:
    """A Ctrl-C that came where nothing can be raised comes once more."""
    if issubclass(ignored.exc_type, KeyboardInterrupt):
        _thread.interrupt_main()
    else:
        sys.__unraisablehook__(ignored)


def entry(at_work: AtWork = contextlib.nullcontext) -> NoReturn:
    """What the installed program does; `at_work` as in `main`."""
    sys.unraisablehook = _interrupt_again
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 is no error
    try:
        code = main(at_work=at_work)
    except KeyboardInterrupt:  # a second one, while the first was being answered
        code = int(ExitCode.INTERRUPTED)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _leave_stdout()
    raise SystemExit(code)
