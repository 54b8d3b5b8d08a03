"""The measurements: `./dev bench`, which lists what there is.

    ./dev bench versus [--minutes M] [--cell NAME] [--manager NAME]   vipkeeper and its peers, in parts
    ./dev bench probe [--scale S]                                     what the client probe gets wrong
    ./dev bench election [--cell NAME ...] [--scale S]                every cell, hours
    ./dev bench holder [--scale S]                                    the holder's cells, and rest
    ./dev bench rest [--manager NAME] [--scale S]                     memory, processor time, --help
    ./dev bench why [--scale S]                                       a bundle of 200 MiB, and live
    ./dev bench lint [--scale S]                                      time and memory of the linter
    ./dev bench soak --hours H [--quiet] [--minutes M] [--seed N]     random faults or none, in parts
    ./dev bench simulate [--scale S]                                  speed and sweeps of the simulator
    ./dev bench suites                                                how long drill --suite smoke and full take
    ./dev bench table [--results PLACE]                               docs/benchmarks.md from the results

`--out FILE`, of every command, is where its results go (of table: the page). The published results are of
other commits, and versus, election and holder do not add to them unless `--mix` is given. A run that was
interrupted goes on from its file. Nothing here judges but the table; every run is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from bench import lint, probe, rest, results, simulation, soak, suites, table, versus, why
from bench.cells import BOTH, CELLS, HOLDER, Cell
from bench.contenders import CONTENDERS
from bench.runner import play, print_summary
from bench.start import INTERRUPTED, SAID
from bench.started import ProgramError, interrupting
from tools.compiled import CompileError

from vipkeeper.cli.drill_soak import MOST_HOURS
from vipkeeper.errors import ExitCode, UsageError, VipkeeperError

_BLOCKS = ("cell", "scale", "out", "manager", "mix")
_ONCE = ("scale", "out")
OPTIONS: dict[str, tuple[str, ...]] = {
    "versus": ("minutes", *_BLOCKS),
    "probe": _ONCE,
    "election": _BLOCKS,
    "holder": _BLOCKS,
    "rest": ("manager", *_ONCE),
    "lint": _ONCE,
    "why": _ONCE,
    "simulate": _ONCE,
    "suites": _ONCE,
    "soak": ("hours", "minutes", "quiet", "seed", "out"),
    "table": ("results", "out"),
}
"""The commands, and the options that each has."""
DEFAULTS: dict[str, Any] = {
    "cell": None,
    "minutes": 45.0,
    "hours": 2.0,
    "quiet": False,
    "seed": None,
    "scale": 1.0,
    "out": None,
    "manager": None,
    "mix": False,
    "results": results.DEFAULT.parent,
}
USER_IS_IN = "BENCH_USER_IS_IN"
"""The variable in which ./dev says from which folder it was started."""
PIPE_CLOSED = 141
"""As of a process that SIGPIPE ends."""
SINGLE: dict[str, tuple[Callable[[float], dict[str, Any]], Callable[[dict[str, Any]], str]]] = {
    "why": (why.measure, why.line),
    "lint": (lint.measure, lint.line),
    "simulate": (simulation.measure, simulation.line),
    "suites": (suites.measure, suites.line),
    "probe": (lambda scale: probe.measure(max(1, round(probe.DATAGRAMS * scale))), probe.line),
}
"""What is measured at once: how, and its line for a reader."""
FILES = {
    "election": results.DEFAULT.name,
    "holder": results.DEFAULT.name,
    "simulate": "simulation.json",
}
"""In which file of the folder of results those of a command are, where that is not named as the command."""
REST_SECONDS = 60.0


def main(words: list[str]) -> int:
    """Run a command; one line on stderr with exit code 2 for what cannot be run, with 1 where a program failed."""
    try:
        with interrupting():
            try:
                code = _run(_asked(words)) if words else _overview()
            except SystemExit as done:  # argparse ends this way after --help
                code = done.code if isinstance(done.code, int) else ExitCode.OK
            sys.stdout.flush()
        return code
    except (results.ResultsError, VipkeeperError) as error:
        return _refused(str(error))
    except ProgramError as error:
        _say(str(error))
        return ExitCode.FINDINGS
    except CompileError as error:
        first, *more = str(error).splitlines()
        _say(f"{first} {more[-1].strip()}" if more else first)
        return ExitCode.FINDINGS
    except KeyboardInterrupt:
        _say(SAID)
        return INTERRUPTED
    except BrokenPipeError:
        _leave_stdout()
        return PIPE_CLOSED
    except OSError as error:
        if error.filename is not None:
            return _refused(f"{error.filename}: {error.strerror}")
        # A stream does not say its name: stdout, or a file under the folder for temporary ones.
        _leave_stdout()
        return _refused(f"cannot write the output or a temporary file: {error.strerror}")


def _say(line: str) -> None:
    """To stderr, which may be gone as well."""
    with contextlib.suppress(OSError):
        print(f"bench: {line}", file=sys.stderr)


def _refused(why: str) -> int:
    _say(why)
    return ExitCode.USAGE


def _leave_stdout() -> None:
    """What stdout did not take is not tried once more when Python ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _overview() -> int:
    """Commands and cells."""
    print(__doc__)
    for commands, cells in (("election, holder", CELLS), ("versus", versus.cells())):
        print(f"Cells of {commands}:")
        for cell in cells:
            unit = "s" if cell.seconds else "runs"
            amounts = ", ".join(f"{name} {cell.total(name):.0f} {unit}" for name in cell.managers)
            print(f"  {cell.name:<25} {cell.what} ({amounts})")
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (./dev bench --help)")


def _up_to(most: float, what: str) -> Callable[[str], float]:
    """The type of an option: a number above 0 and up to `most`."""

    def number(text: str) -> float:
        with contextlib.suppress(ValueError):
            if 0 < (value := float(text)) <= most:
                return value
        raise argparse.ArgumentTypeError(f"'{text}' is no {what} above 0 and up to {most:g}")

    return number


def _place(text: str) -> Path:
    """The type of an option: a path from where the user is, which ./dev leaves for the repository."""
    return Path(os.environ.get(USER_IS_IN, "."), text)


def _asked(words: list[str]) -> argparse.Namespace:
    """The command line, defaults filled in.

    Raises:
        UsageError: a mistake in it, such as an option that the command does not have.
    """
    args = vars(_parser().parse_args(words))
    has = OPTIONS[args["what"]]
    if foreign := [name for name in args if name not in ("what", *has)]:
        raise UsageError(
            f"{args['what']} has no --{foreign[0]}; it has --{', --'.join(has)} (./dev bench --help)"
        )
    return argparse.Namespace(**(DEFAULTS | args))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="./dev bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument("what", choices=OPTIONS, metavar="COMMAND", help=", ".join(OPTIONS))
    parser.add_argument(
        "--cell", action="append", metavar="NAME", help="only this one, or all of GROUP/"
    )
    parser.add_argument(
        "--minutes",
        type=_up_to(MOST_HOURS * 60, "number of minutes"),
        metavar="M",
        help="length of a part of versus, soak (45)",
    )
    parser.add_argument(
        "--hours",
        type=_up_to(MOST_HOURS, "number of hours"),
        metavar="H",
        help="of a soak, all parts together (2)",
    )
    parser.add_argument("--quiet", action="store_true", help="a soak in which nothing is broken")
    parser.add_argument("--seed", type=int, metavar="N", help="of a soak that begins")
    parser.add_argument(
        "--scale",
        type=_up_to(1, "share"),
        metavar="S",
        help="fewer runs for a quick look, such as 0.1",
    )
    parser.add_argument(
        "--out", type=_place, metavar="FILE", help="file of results (table: the page)"
    )
    parser.add_argument(
        "--manager",
        action="append",
        choices=CONTENDERS,
        metavar="NAME",
        help="only this one, as results call it",
    )
    parser.add_argument("--mix", action="store_true", help="go on with a file of another commit")
    parser.add_argument(
        "--results",
        type=_place,
        metavar="PLACE",
        help="for table: a folder of results, or one file of them",
    )
    return parser


def _run(args: argparse.Namespace) -> int:
    if args.what == "table":
        out = args.out or results.ROOT / "docs" / "benchmarks.md"
        results.writable(out)
        own = None if args.results.resolve() == results.DEFAULT.parent else args.results
        results.write(out, table.page(table.gather(args.results), own))
        print(f"written: {out}")
        return 0
    if args.what in SINGLE:
        path = _file(args)
        results.writable(path)
        found = results.load(path)
        measure, line = SINGLE[args.what]
        found[args.what] = measure(args.scale)
        results.save(path, found)
        print(f"{args.what}: {line(found[args.what])}")
        return 0
    if args.what == "versus":
        return _versus(args)
    if args.what == "soak":
        path = args.out or results.DEFAULT.parent / soak.FILES[args.quiet]
        results.writable(path)
        return soak.play(args.hours, args.minutes, quiet=args.quiet, seed=args.seed, path=path)
    path = _file(args)
    results.writable(path)
    if args.what == "rest" and args.manager:
        found = results.load(path)
        found.setdefault("rest_versus", {}).update(_costs(args.manager, args.scale))
        results.save(path, found)
        return 0
    if args.what != "rest":
        names = _known(args.cell, CELLS) or (
            HOLDER if args.what == "holder" else [cell.name for cell in CELLS]
        )
        cells = [cell for cell in CELLS if cell.name in names]
        if other := set(args.manager or ()) - set(BOTH):
            raise results.ResultsError(
                f"{', '.join(sorted(other))}: these cells have {' and '.join(BOTH)} alone"
            )
        found = play(cells, args.scale, path, args.manager or BOTH, mix=args.mix)
        print_summary(cells, found)
    if args.what != "election" or not args.cell:
        found = results.load(path)
        if "rest" not in found or args.what == "rest":
            found["rest"] = rest.measure(_rest_seconds(args.scale))
            results.save(path, found)
        print(f"rest: {table.rest_line(found['rest'])}")
    return 0


def _file(args: argparse.Namespace) -> Path:
    """Where the results of a command go."""
    asked: Path | None = args.out
    return asked or results.DEFAULT.parent / FILES.get(args.what, f"{args.what}.json")


def _rest_seconds(scale: float) -> float:
    return max(5.0, REST_SECONDS * min(1.0, scale))


def _costs(names: Sequence[str], scale: float) -> dict[str, Any]:
    """What each of these contenders costs at rest, where it is there."""
    return rest.measure_all(names, _rest_seconds(scale))


def _known(asked: Sequence[str] | None, cells: Sequence[Cell]) -> list[str]:
    """The names of the cells asked for.

    Raises:
        ResultsError: there is none of a name.
    """
    found = []
    for name in asked or ():
        names = [
            cell.name
            for cell in cells
            if name == cell.name or (name.endswith("/") and cell.name.startswith(name))
        ]
        if not names:
            raise results.ResultsError(f"this command has no cell '{name}'; ./dev bench lists them")
        found += names
    return found


def _versus(args: argparse.Namespace) -> int:
    """A part of the head-to-head; what each costs at rest once all of it has been played."""
    path = _file(args)
    results.writable(path)
    every = versus.cells()
    names = _known(args.cell, every)
    cells = [cell for cell in every if not names or cell.name in names]
    if args.manager:
        cells = versus.only(cells, args.manager)
    found = versus.play(cells, args.scale, path, args.minutes, mix=args.mix)
    done = not versus.missing(cells, args.scale, found)
    if done and not names and not args.manager and "rest_versus" not in found:
        contenders = dict.fromkeys([*versus.BEST, *versus.DEFAULTS])
        found["rest_versus"] = _costs(tuple(contenders), args.scale)
        results.save(path, found)
    return 0
