"""`vipkeeper drill soak`: random faults for hours, or nothing at all, with every promise watched."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shlex
import signal
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from vipkeeper import __version__
from vipkeeper.cli import output
from vipkeeper.cli.report_folder import check_replaceable, chosen_folder, put, ready, write_folder
from vipkeeper.errors import ExitCode, HostError, UsageError
from vipkeeper.lab import cgroups
from vipkeeper.lab.box import BoxError, in_box
from vipkeeper.lab.catalogue import SCENARIOS
from vipkeeper.lab.drill import Drill, Plan, Progress
from vipkeeper.lab.schedule import mending
from vipkeeper.lab.soak import QUIET_ACT, Soaking, new_record
from vipkeeper.report import json as report_json
from vipkeeper.report.pictures import soak_text
from vipkeeper.report.run import ActResult, Verdict
from vipkeeper.report.soak import Soak, dump_soak, load_soak
from vipkeeper.report.svg_soak import overview
from vipkeeper.text import printable

SOAK = "soak"
MOST_HOURS = 1000.0
UNBUDGETED = "move_budget: 0"
"""Faults come faster here than in ten minutes of any real cluster: with a budget all would soon be held."""
TRACES = "traces"
RECORD = "soak.json"
PICTURE = "soak.svg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options that only `drill soak` has."""
    group = parser.add_argument_group("drill soak")
    group.add_argument("--hours", type=_hours, metavar="H", help="how long, such as 2 or 0.5")
    group.add_argument(
        "--quiet", action="store_true", help="break nothing; then nothing may move or fail"
    )
    group.add_argument("--pairs", action="store_true", help="every fourth fault is two at once")
    group.add_argument(
        "--part",
        type=Path,
        metavar="FILE",
        help="the record, written after every fault; one that is there is gone on with "
        f"(default: {RECORD} in the folder of --report, and without one here)",
    )


def _hours(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (value := float(text)) <= MOST_HOURS:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is no number of hours up to {MOST_HOURS:g}")


def asked(args: argparse.Namespace) -> bool:
    """Whether an option says so that nothing else has."""
    return bool(args.hours or args.quiet or args.pairs or args.part)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a soak is kept."""

    record: Path
    option: str
    """The option that says so, for messages."""
    folder: Path
    """Of what a broken promise leaves."""

    @classmethod
    def of(cls, args: argparse.Namespace) -> Place:
        """--part names the record; else it is in the folder of --report, and without one here."""
        folder = chosen_folder(args)
        if args.part is not None:
            return cls(args.part, "--part", folder)
        if args.report is not None:
            return cls(folder / RECORD, "--report", folder)
        return cls(Path(RECORD), "drill soak", folder)

    @property
    def drawn(self) -> bool:
        """Whether the record's picture is to stand beside it in the folder."""
        return self.option == "--report"

    def refused(self, why: str) -> UsageError:
        """What is there is not gone on with."""
        return UsageError(
            f"{self.option}: {self.record}: {why}; name another file with --part FILE"
        )

    def load(self) -> Soak | None:
        """What is there.

        Raises:
            UsageError: it is something else than a soak.
        """
        try:
            return load_soak(self.record.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"{self.option}: {self.record}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise self.refused("not UTF-8 text") from None
        except UsageError as error:
            raise self.refused(str(error)) from None


class Record:
    """The file a soak is written to. Its directory stays open: the box has another /run."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError when the directory cannot be opened."""
        self.path = path
        try:
            self._directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise UsageError(f"--part: {path.parent}: {error.strerror}") from None

    def save(self, soak: Soak) -> None:
        """Take the place of what is there in one step.

        Raises:
            HostError: it cannot be written; what was there still is.
        """
        new = f".{self.path.name}.new"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
            with open(os.open(new, flags, 0o644, dir_fd=self._directory), "wb") as file:
                file.write(dump_soak(soak).encode())
            os.replace(new, self.path.name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(new, dir_fd=self._directory)
            raise HostError(
                f"drill soak: cannot write {self.path}: {error.strerror}; what was recorded before is kept"
            ) from None


def main(args: argparse.Namespace) -> int:
    """Begin a soak or go on with one."""
    _check(args)
    place = Place.of(args)
    soak = begun(args, place)
    plan = Plan((QUIET_ACT,), 1, "vipkeeper", args.interval, soak.seed, soak.settings)
    _check_plan(plan)
    with ready(place.folder):
        check_replaceable(place.folder)
        record = Record(place.record)
        record.save(soak)
        for left in cgroups.sweep():
            output.note(f"drill: removed what a killed drill left: control group {left}")
        output.note(_first_line(soak, record.path))
        show = _Show(plan, soak, record, place)
        let_go, clear_away = (partial(do, show.owner) for do in (cgroups.let_go, cgroups.clear))
        try:
            code = in_box(show.inside, show.outside, at_end=let_go, finished=clear_away)
        except BoxError:
            if not soak.length:
                record.path.unlink(missing_ok=True)
            raise
        return code if show.code is None else show.code


def _check(args: argparse.Namespace) -> None:
    if args.acts != [SOAK]:
        raise UsageError(
            "--hours, --quiet, --pairs and --part belong to 'drill soak', which takes no acts"
        )
    if args.manager != "vipkeeper":
        raise UsageError(
            f"drill soak: --manager {args.manager}: only vipkeeper's own promises can be watched for hours; "
            f"play acts with it: 'vipkeeper drill ACT --manager {args.manager} --runs N'"
        )
    if args.hours is None:
        raise UsageError("drill soak: say how long with --hours H")
    if args.quiet and args.pairs:
        raise UsageError(
            "drill soak: --quiet breaks nothing, so --pairs has no faults to lay together"
        )
    given = {
        "--suite": args.suite,
        "--runs": args.runs != 1,
        "--for": args.seconds,
        "--keep": args.keep,
        "--variant": args.variant,
        "--output": args.output,
        "--why": args.why,
        "--bundles": args.bundles,
    }
    if wrong := [name for name, value in given.items() if value]:
        raise UsageError(f"drill soak: it has no {', '.join(wrong)}")


def _check_plan(plan: Plan) -> None:
    from vipkeeper.cli.drill import check_settings

    check_settings(plan)


def begun(args: argparse.Namespace, place: Place) -> Soak:
    """The record to go on with, or a new one.

    Raises:
        UsageError: it is one of another seed, of other settings, or of the other kind, one with a broken
            promise, or none.
    """
    there = place.load()
    settings = tuple(args.settings)
    if not any(line.startswith("move_budget:") for line in settings):
        settings += (UNBUDGETED,)
    if there is None:
        seed = args.seed if args.seed is not None else secrets.randbelow(1_000_000)
        started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        fresh = new_record(seed, args.hours, args.quiet, started, __version__)
        return replace(fresh, interval_ms=args.interval, settings=settings, pairs=args.pairs)
    wanted = (
        ("seed", there.seed, there.seed if args.seed is None else args.seed),
        ("--quiet", there.quiet, args.quiet),
        ("--pairs", there.pairs, args.pairs),
        ("--interval", there.interval_ms, args.interval),
        ("--set", there.settings, settings),
        ("version", there.tool_version, __version__),
    )
    for name, found, asked_for in wanted:
        if found != asked_for:
            raise place.refused(
                f"the soak in it has another {name} ({_shown(found)}, not {_shown(asked_for)})"
            )
    if there.violations:
        raise place.refused("a promise was broken")
    return replace(there, hours=args.hours, seconds=there.length)


def _shown(value: object) -> str:
    return "; ".join(value) if isinstance(value, tuple) else printable(str(value))


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    return str(timedelta(seconds=int(seconds)))


def _first_line(soak: Soak, path: Path) -> str:
    what = "nothing is broken" if soak.quiet else f"seed {soak.seed}"
    left = soak.hours * 3600 - soak.length
    end = datetime.now().astimezone() + timedelta(seconds=left)
    at = f", {clock(soak.length)} of them played" if soak.length else ""
    when = f"ends about {end:%a %H:%M}" if left > 0 else "nothing is left to play"
    return f"soak: {soak.hours:g} hours{at}; {what}; {when}; record: {path}"


@dataclass(slots=True)
class _Show:
    """The part inside the box and the part outside."""

    plan: Plan
    soak: Soak
    record: Record
    place: Place
    code: int | None = None
    owner: str = field(default_factory=cgroups.owner_name)
    """The mark on its control groups."""

    def inside(self, directory: Path) -> bytes:
        """Play; the result as JSON."""
        drill = Drill(self.plan, directory, Progress(), self.owner)
        faults = mending(SCENARIOS, QUIET_ACT.servers)
        soaking = Soaking(drill, faults, self.soak, self.record.save, _tell)
        interrupted = False
        try:
            soaking.play()
        except KeyboardInterrupt:
            interrupted = True
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if interrupted:
            drill.give_up()
        drill.stop_measuring()
        failure = soaking.failure
        drill.results = [failure.result] if failure else []
        parcel = {
            "interrupted": interrupted,
            "soak": dump_soak(soaking.record),
            "report": report_json.dump_run(drill.report()) if failure else None,
            "again": _again(failure.result.name, failure.seed, self.plan) if failure else "",
            "logs": drill.logs,
            "traces": failure.traces if failure else {},
        }
        return json.dumps(parcel).encode()

    def outside(self, data: bytes) -> None:
        """Say what it came to; write the picture, and traces of what failed."""
        parcel = json.loads(data)
        soak = load_soak(parcel["soak"])
        folder, picture = self.place.folder, {PICTURE: overview(soak)}
        if parcel["report"]:
            self.code = ExitCode.FINDINGS
            output.emit(soak_text(soak).rstrip("\n"))
            if parcel["again"]:
                output.note(f"the fault again: {parcel['again']}")
            output.note(f"all of it again: {self._all_again(soak)}")
            traces = {f"{TRACES}/{n}.ndjson": text for n, text in parcel["traces"].items()}
            report = report_json.load_run(parcel["report"])
            write_folder(report, parcel["logs"], folder, {**traces, **picture})
            output.note(f"pictures, logs, traces: {folder / 'index.html'}, {folder / TRACES}")
            return
        if parcel["interrupted"]:
            output.note("drill soak: interrupted; the same command goes on from the last fault")
            self.code = ExitCode.INTERRUPTED
        else:
            output.emit(soak_text(soak).rstrip("\n"))
            self.code = ExitCode.OK
        if self.place.drawn and soak.length:
            put(folder, picture)
            output.note(f"picture: {folder / PICTURE}")

    def _all_again(self, soak: Soak) -> str:
        quiet = " --quiet" if soak.quiet else " --pairs" if soak.pairs else ""
        return (
            f"vipkeeper drill soak --hours {soak.hours:g} --seed {soak.seed}{quiet}"
            f"{_options(self.plan)} --part again.json"
        )


def _options(plan: Plan) -> str:
    """What another command needs to play under the same conditions."""
    settings = (line.replace(": ", "=", 1) for line in plan.settings if line != UNBUDGETED)
    interval = f" --interval {plan.interval_ms}ms" if plan.interval_ms != 100 else ""
    return interval + "".join(f" --set {shlex.quote(one)}" for one in settings)


def _again(name: str, seed: int | None, plan: Plan) -> str:
    """The command for the one fault; empty when nothing was being broken."""
    if seed is None:
        return ""
    budget = " --set move_budget=0" if UNBUDGETED in plan.settings else ""
    return f"vipkeeper drill {name} --seed {seed}{_options(plan)}{budget}"


def _tell(soak: Soak, result: ActResult) -> None:
    """One line a fault, or a spell of quiet."""
    verdict = {Verdict.PASSED: "passed ", Verdict.SKIPPED: "skipped", Verdict.FAILED: "FAILED "}
    left = max(0.0, soak.hours * 3600 - soak.length)
    found = f": {printable(result.reason)}" if result.reason else ""
    if result.verdict is Verdict.PASSED and result.outage_ms:
        found = f", client without answer for {result.outage_ms:.0f} ms"
    where = f"{clock(soak.length)} ({clock(left)} left)"
    output.note(f"{where}  {verdict[result.verdict]} {result.name}{found}")
