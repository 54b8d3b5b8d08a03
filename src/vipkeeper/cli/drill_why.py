"""`vipkeeper drill --why`: break the cluster in a box in every way there is, and ask `why` what it was."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vipkeeper.cli import output
from vipkeeper.cli.report_folder import ready
from vipkeeper.errors import ExitCode, HostError, UsageError
from vipkeeper.text import printable

if TYPE_CHECKING:
    from vipkeeper.lab.troubles.faults import Fault
    from vipkeeper.lab.troubles.play import Result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--why",
        action="store_true",
        help="instead of acts: break the cluster fault by fault, collect on every machine, and hold what "
        "`why` says against the fault; ACT is then a fault ('list' shows them)",
    )
    parser.add_argument(
        "--bundles", type=Path, metavar="DIR", help="with --why: keep bundles and answers there"
    )


def main(args: argparse.Namespace) -> int:
    """Play the faults, print the table of hits and misses, keep the JSON where it was asked for."""
    from vipkeeper.lab.troubles import table

    _check(args)
    if args.acts == ["list"]:
        output.emit(table.listed())
        return ExitCode.OK
    faults = find(args.acts)
    asked = output.targets(args)
    with contextlib.nullcontext() if args.bundles is None else ready(args.bundles, "--bundles"):
        output.check_files(asked)
        return _played(faults, asked, args)


def _check(args: argparse.Namespace) -> None:
    """Refuse what belongs to acts."""
    given = {
        "--suite": args.suite,
        "--runs": args.runs != 1,
        "--for": args.seconds,
        "--keep": args.keep,
        "--manager": args.manager != "vipkeeper",
        "--variant": args.variant,
        "--interval": args.interval != 100,
        "--set": args.settings,
        "--seed": args.seed is not None,
        "--report": args.report,
    }
    if wrong := [name for name, value in given.items() if value]:
        raise UsageError(f"drill --why: it has no {', '.join(wrong)}")


def _played(
    faults: tuple[Fault, ...], asked: Sequence[output.Target], args: argparse.Namespace
) -> int:
    """Play them in a box and hand the table over, also where not all could be played; the exit code.

    Raises:
        HostError: the box cannot be made, something ended the plays early, or no fault could be played.
    """
    from vipkeeper.lab.box import in_box
    from vipkeeper.lab.troubles import play, table

    keep = None if args.bundles is None else args.bundles.resolve()
    came: list[_Parcel] = []
    code = in_box(
        lambda directory: _inside(faults, directory, keep),
        lambda data: came.append(_Parcel(**json.loads(data))),
    )
    if code:
        return code
    (parcel,) = came
    results = [play.Result(**row) for row in parcel.results]
    if results or not parcel.ended_by:
        output.deliver(
            asked,
            {"text": lambda _: table.text(results), "json": lambda _: play.as_json(results)},
            ascii_only=args.ascii,
            instead="text",
        )
    if parcel.interrupted:
        output.note(f"drill --why: {parcel.ended_by}")
        return ExitCode.INTERRUPTED
    if parcel.ended_by:
        raise HostError(parcel.ended_by)
    if all(result.outcome == play.Outcome.FAILED.value for result in results):
        raise HostError(f"drill --why: no fault could be played: {results[0].note}")
    right = all(result.outcome == play.Outcome.RIGHT.value for result in results)
    return ExitCode.OK if right else ExitCode.FINDINGS


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What comes out of the box."""

    results: list[dict[str, Any]]
    ended_by: str = ""
    """What ended the plays before all faults were played."""
    interrupted: bool = False


def _inside(faults: Sequence[Fault], directory: Path, keep: Path | None) -> bytes:
    """Play, until something ends it; what there is of results then."""
    from vipkeeper.lab.troubles import play

    results: list[Result] = []
    ended_by, interrupted = "", False
    try:
        for result in play.play(faults, directory, keep):
            results.append(result)
            _told(result)
    except KeyboardInterrupt:
        ended_by, interrupted = f"interrupted after {len(results)} of {len(faults)} faults", True
    except (HostError, OSError) as error:
        so_far = f"drill --why: ended after {len(results)} of {len(faults)} faults: "
        ended_by = f"{so_far if results else ''}{error}"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parcel = _Parcel([asdict(result) for result in results], ended_by, interrupted)
    return json.dumps(asdict(parcel)).encode()


def find(names: list[str]) -> tuple[Fault, ...]:
    """The faults of these names; all of them when none is named.

    Raises:
        UsageError: there is no such fault; names the nearest one.
    """
    from vipkeeper.lab.troubles.faults import FAULTS

    by_name = {fault.name: fault for fault in FAULTS}
    for name in names:
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "see 'vipkeeper drill --why list'"
            raise UsageError(f"drill --why: unknown fault '{name}'; {hint}")
    return tuple(by_name[name] for name in names) or FAULTS


def _told(result: Result) -> None:
    """One line a fault."""
    from vipkeeper.lab.troubles.table import said

    output.note(
        f"{result.outcome:<11}{result.name:<22}{printable(said(result))}  ({result.seconds:.0f} s)"
    )
