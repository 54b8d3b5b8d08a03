"""The measurements: `./dev bench`, which lists what there is.

    ./dev bench versus [--minutes M] [--cell NAME] [--manager NAME]   vipkeeper and its peers, in parts
    ./dev bench probe [--scale S]                                     what the client probe gets wrong
    ./dev bench election [--cell NAME ...] [--scale S] [--out FILE]   every cell, hours
    ./dev bench holder [--scale S] [--out FILE]                       the holder's cells, and rest
    ./dev bench rest [--out FILE]                                     memory, processor time, --help
    ./dev bench why [--scale S] [--out FILE]                          a bundle of 200 MiB, and live
    ./dev bench lint [--scale S] [--out FILE]                         time and memory of the linter
    ./dev bench soak --hours H [--quiet] [--minutes M] [--seed N]     random faults or none, in parts
    ./dev bench simulate [--scale S] [--out FILE]                     speed and sweeps of the simulator
    ./dev bench table [--out FILE]                                    docs/benchmarks.md from the results

A run that was interrupted goes on from its file. Nothing here judges but the table; every run is kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench import lint, probe, rest, results, simulation, soak, table, versus, why
from bench.cells import BOTH, CELLS, HOLDER, Cell
from bench.contenders import CONTENDERS
from bench.runner import play, print_summary
from tools.compiled import CompileError

from vipkeeper.errors import HostError

COMMANDS = (
    "versus",
    "probe",
    "election",
    "holder",
    "rest",
    "lint",
    "why",
    "simulate",
    "soak",
    "table",
)
SINGLE: dict[str, tuple[Callable[[float], dict[str, Any]], Callable[[dict[str, Any]], str]]] = {
    "why": (why.measure, why.line),
    "lint": (lint.measure, lint.line),
    "simulate": (simulation.measure, simulation.line),
    "probe": (lambda scale: probe.measure(round(probe.DATAGRAMS * scale)), probe.line),
}
"""What is measured at once: how, and its line for a reader."""
REST_SECONDS = 60.0


def main(words: list[str]) -> int:
    """Run a command; exit code 2 for what cannot be run."""
    if not words:
        print(__doc__)
        for cell in (*CELLS, *versus.cells()):
            unit = "s" if cell.seconds else "runs"
            amounts = ", ".join(f"{name} {cell.total(name):.0f} {unit}" for name in cell.managers)
            print(f"{cell.name:<24}{cell.what} ({amounts})")
        return 0
    args = _parser().parse_args(words)
    try:
        return _run(args)
    except (results.ResultsError, CompileError, HostError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except OSError as error:  # such as a full disk under the folder for temporary files
        print(f"bench: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )  # fmt: skip
    parser.add_argument("what", choices=COMMANDS)
    parser.add_argument(
        "--cell", action="append", metavar="NAME", help="only this one, or all of GROUP/"
    )
    parser.add_argument(
        "--minutes", type=float, default=45.0, help="length of a part of versus, soak"
    )
    parser.add_argument("--hours", type=float, default=2.0, help="of a soak, all parts together")
    parser.add_argument("--quiet", action="store_true", help="a soak in which nothing is broken")
    parser.add_argument("--seed", type=int, help="of a soak that begins")
    parser.add_argument("--scale", type=float, default=1.0, help="fewer runs for a quick look")
    parser.add_argument("--out", type=Path, help="file of results (table: the page)")
    parser.add_argument(
        "--manager",
        action="append",
        choices=CONTENDERS,
        metavar="NAME",
        help="only this one, as results call it",
    )
    parser.add_argument("--mix", action="store_true", help="go on with a file of another commit")
    parser.add_argument("--results", type=Path, default=results.DEFAULT.parent, help="for table")
    return parser


def _run(args: argparse.Namespace) -> int:
    if args.what == "table":
        out = args.out or results.ROOT / "docs" / "benchmarks.md"
        results.write(out, table.page(table.gather(args.results)))
        print(f"written: {out}")
        return 0
    if args.what in SINGLE:
        path = args.out or results.DEFAULT
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
        return soak.play(args.hours, args.minutes, quiet=args.quiet, seed=args.seed, path=path)
    path = args.out or results.DEFAULT
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
            found["rest"] = rest.measure(max(5.0, REST_SECONDS * min(1.0, args.scale)))
            results.save(path, found)
        print(f"rest: {table.rest_line(found['rest'])}")
    return 0


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
            raise results.ResultsError(f"there is no cell '{name}'; ./dev bench lists them")
        found += names
    return found


def _versus(args: argparse.Namespace) -> int:
    """A part of the head-to-head; what each costs at rest once all of it has been played."""
    path = args.out or versus.DEFAULT
    every = versus.cells()
    names = _known(args.cell, every)
    cells = [cell for cell in every if not names or cell.name in names]
    if args.manager:
        cells = versus.only(cells, args.manager)
    found = versus.play(cells, args.scale, path, args.minutes, mix=args.mix)
    done = not versus.missing(cells, args.scale, found)
    if done and not names and not args.manager and "rest_versus" not in found:
        seconds = max(5.0, REST_SECONDS * min(1.0, args.scale))
        contenders = dict.fromkeys([*versus.BEST, *versus.DEFAULTS])
        found["rest_versus"] = rest.measure_all(tuple(contenders), seconds)
        results.save(path, found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
