"""The measurements: `./dev bench`, which lists what there is.

    ./dev bench election [--cell NAME ...] [--scale S] [--out FILE]   every cell, hours
    ./dev bench holder [--scale S] [--out FILE]                       the holder's cells, and rest
    ./dev bench rest [--out FILE]                                     memory, processor time, --help
    ./dev bench why [--scale S] [--out FILE]                          a bundle of 200 MiB, and live
    ./dev bench lint [--scale S] [--out FILE]                         time and memory of the linter
    ./dev bench table [--out FILE]                                    docs/benchmarks.md from the results

A run that was interrupted goes on from its file. Nothing here judges but the table; every run is kept.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench import lint, rest, results, table, why
from bench.cells import BOTH, CELLS, HOLDER, find
from bench.runner import play, print_summary

from vipkeeper.errors import HostError


def main(words: list[str]) -> int:
    """Run a command; exit code 2 for what cannot be run."""
    if not words:
        print(__doc__)
        for cell in CELLS:
            unit = "s" if cell.seconds else "runs"
            amounts = ", ".join(f"{name} {cell.total(name):.0f} {unit}" for name in cell.managers)
            print(f"{cell.name:<16}{cell.what} ({amounts})")
        return 0
    args = _parser().parse_args(words)
    try:
        return _run(args)
    except (results.ResultsError, HostError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )  # fmt: skip
    parser.add_argument("what", choices=["election", "holder", "rest", "lint", "why", "table"])
    parser.add_argument("--cell", action="append", choices=[cell.name for cell in CELLS])
    parser.add_argument("--scale", type=float, default=1.0, help="fewer runs for a quick look")
    parser.add_argument("--out", type=Path, help="file of results (table: the page)")
    parser.add_argument("--manager", action="append", choices=BOTH, help="only this one")
    parser.add_argument("--mix", action="store_true", help="go on with a file of another commit")
    parser.add_argument("--results", type=Path, default=results.DEFAULT.parent, help="for table")
    return parser


def _run(args: argparse.Namespace) -> int:
    if args.what == "table":
        out = args.out or results.ROOT / "docs" / "benchmarks.md"
        out.write_text(table.page(table.gather(args.results)), encoding="utf-8")
        print(f"written: {out}")
        return 0
    path = args.out or results.DEFAULT
    if args.what == "why":
        kept = results.load(path)
        kept["why"] = why.measure(args.scale)
        results.save(path, kept)
        print(f"why: {why.line(kept['why'])}")
        return 0
    if args.what == "lint":
        found = results.load(path)
        found["lint"] = lint.measure(args.scale)
        results.save(path, found)
        print(f"lint: {lint.line(found['lint'])}")
        return 0
    if args.what != "rest":
        names = args.cell or (HOLDER if args.what == "holder" else [cell.name for cell in CELLS])
        cells = [cell for name in names if (cell := find(name))]
        found = play(cells, args.scale, path, args.manager or BOTH, mix=args.mix)
        print_summary(cells, found)
    if args.what != "election" or not args.cell:
        found = results.load(path)
        if "rest" not in found or args.what == "rest":
            found["rest"] = rest.measure(max(5.0, 60.0 * min(1.0, args.scale)))
            results.save(path, found)
        print(f"rest: {table.rest_line(found['rest'])}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
