"""`vipkeeper simulate`: production nodes in virtual time, broken by seeded faults, judged by invariants."""

from __future__ import annotations

import argparse
import os
import shutil
import time
from functools import partial
from typing import Any

from vipkeeper import __version__
from vipkeeper.cli import output
from vipkeeper.cli.output import Style, Tone
from vipkeeper.core.types import MILLISECOND, SECOND, Duration
from vipkeeper.errors import ExitCode
from vipkeeper.report.terminal import render_timeline
from vipkeeper.sim.faults import Plan, draw
from vipkeeper.sim.run import Result, run
from vipkeeper.sim.shrink import shrink
from vipkeeper.sim.sweep import Totals, one, sweep
from vipkeeper.sim.timeline import act

NAME = "simulate"
HELP = """\
Plays clusters of the daemon's own election code in virtual time: a seed decides cluster, settings, network
and faults, and every promise of the election is checked all the time. The same seed and version play the
same run. A failing seed is shrunk to the faults that matter and drawn.

Exit codes: 0 every promise was kept, 1 one was broken, 2 usage, 130 interrupted."""

HOUR = 3600 * SECOND
LONGEST_HOURS = 1000.0
_WIDTH = 100
_BAR = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="play this seed (default: 0)"
    )
    parser.add_argument(
        "--hours",
        type=_hours,
        metavar="H",
        help="length of the phase with faults (default: 1 to 10 minutes, as the seed decides)",
    )
    parser.add_argument(
        "--sweep",
        type=_count,
        metavar="COUNT",
        help="play COUNT seeds from --seed on, on all cores",
    )
    parser.add_argument(
        "--jobs",
        type=_count,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes of a sweep (default: one for each core)",
    )
    parser.add_argument(
        "--pause",
        type=_pause,
        metavar="MS",
        help="mean time between two faults, milliseconds (default: 1 s to 1 minute, as the seed decides)",
    )
    parser.add_argument("--encoded", action="store_true", help="adverts travel as bytes (slower)")
    parser.add_argument("--no-shrink", action="store_true", help="show failures as they are")
    output.add_output_option(parser)
    output.add_ascii_option(parser)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 63:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 10000000")
    return int(text)


def _pause(text: str) -> Duration:
    if not text.isdecimal() or not 10 <= int(text) <= 3_600_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of milliseconds from 10")
    return int(text) * MILLISECOND


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= LONGEST_HOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours up to {LONGEST_HOURS:g}")
    return hours


def main(args: argparse.Namespace) -> int:
    """Play one seed or a sweep."""
    asked = output.targets(args)
    output.check_files(asked)
    started = time.monotonic()
    if args.sweep is None:
        totals = Totals()
        totals.add(run(_plan(args, args.seed)))
    else:
        seeds = range(args.seed, args.seed + args.sweep)
        totals = sweep(
            partial(one, fault_phase=_phase(args), encoded=args.encoded, pause=args.pause),
            seeds,
            min(args.jobs, args.sweep),
            _Progress(args.sweep, started),
        )
        output.passing("")
    seconds = time.monotonic() - started
    failures = [_failure(args, result) for result in totals.failed[:1]]
    output.deliver(
        asked,
        {
            "text": lambda style: "\n".join(_text(args, totals, failures, seconds, style)),
            "json": lambda _: output.to_json(_document(args, totals, failures, seconds)),
        },
        ascii_only=args.ascii,
    )
    return ExitCode.FINDINGS if totals.failed else ExitCode.OK


def _plan(args: argparse.Namespace, seed: int) -> Plan:
    return draw(seed, fault_phase=_phase(args), encoded=args.encoded, pause=args.pause)


def _phase(args: argparse.Namespace) -> Duration | None:
    return None if args.hours is None else int(args.hours * HOUR)


Failure = tuple[Result, Plan, Result]
"""As found; the shrunk plan; what that one breaks."""


def _failure(args: argparse.Namespace, result: Result) -> Failure:
    """Shrink one failing run."""
    plan = _plan(args, result.seed)
    if args.no_shrink:
        return result, plan, result
    invariant = result.violations[0].invariant
    smaller = shrink(plan, invariant, _say_shrinking)
    output.passing("")
    again = run(smaller, stop_at=invariant)
    return result, smaller, again if again.violations else result


def _text(
    args: argparse.Namespace, totals: Totals, failures: list[Failure], seconds: float, style: Style
) -> list[str]:
    lines = []
    for found, plan, result in failures:
        lines += _failure_lines(args, found, plan, result, style)
    for found in totals.failed[len(failures) :][:20]:
        lines.append(_first(found))
    hours = totals.simulated / HOUR
    speed = totals.events / seconds if seconds > 0 else 0.0
    worst = f"{totals.worst_outage / MILLISECOND:.0f} ms"
    if totals.worst_seed is not None and totals.runs > 1:
        worst += f" (seed {totals.worst_seed})"
    broken = len(totals.failed)
    verdict = "every promise was kept" if not broken else f"{broken} of {totals.runs} runs FAILED"
    lines += [
        f"{totals.runs} run{'s' if totals.runs > 1 else ''}, {hours:.2f} simulated hours, "
        f"{totals.events} events, {totals.faults} faults, {totals.moves} moves",
        f"worst outage after one fault in a cluster at rest: {worst}",
        f"{seconds:.1f} s, {speed:.0f} events/s",
        style.paint(verdict, Tone.BAD if broken else Tone.GOOD),
    ]
    return lines


def _failure_lines(
    args: argparse.Namespace, found: Result, plan: Plan, result: Result, style: Style
) -> list[str]:
    first = result.violations[0]
    again = f"vipkeeper simulate --seed {found.seed}"
    if args.hours is not None:
        again += f" --hours {args.hours:g}"
    lines = [
        style.paint(
            f"seed {found.seed}, vipkeeper {__version__}: {first.invariant} broken", Tone.BAD
        ),
        f"  at {_at(first.at)}: {first.text}",
        f"  settings: {_settings(plan)}",
        f"  {len(plan.faults)} fault(s)" + ("" if args.no_shrink else ", shrunk:"),
    ]
    lines += [f"    {fault.text(plan.names)}" for fault in plan.faults[:60]]
    width = shutil.get_terminal_size((_WIDTH, 24)).columns
    drawn = render_timeline(act(plan, first), ascii=style.ascii, color=style.colour, width=width)
    if args.encoded:
        again += " --encoded"
    if args.pause is not None:
        again += f" --pause {args.pause // MILLISECOND}"
    lines += ["", *drawn.rstrip().splitlines(), "", f"  play it again: {again}", ""]
    return lines


def _settings(plan: Plan) -> str:
    one = plan.settings[0]
    parts = [
        f"{len(plan.settings)} servers",
        f"advert_interval {one.advert_interval // MILLISECOND} ms",
        f"profile {one.profile.value}",
        f"kernel_lease {one.kernel_lease // SECOND} s",
    ]
    if one.strict_lease is not None:
        parts.append(f"strict lease {one.strict_lease // MILLISECOND} ms")
    if one.preempt_after is not None:
        parts.append(f"preempt after {one.preempt_after // SECOND} s")
    parts.append(f"move budget {one.move_budget}")
    parts.append("gateway" if plan.gateway else "no gateway")
    return ", ".join(parts)


def _document(
    args: argparse.Namespace, totals: Totals, failures: list[Failure], seconds: float
) -> dict[str, Any]:
    shrunk = {found.seed: plan for found, plan, _ in failures}
    return {
        "version": __version__,
        "seed": args.seed,
        "runs": totals.runs,
        "simulated_hours": round(totals.simulated / HOUR, 3),
        "events": totals.events,
        "faults": totals.faults,
        "moves": totals.moves,
        "worst_outage_ms": totals.worst_outage / MILLISECOND,
        "worst_seed": totals.worst_seed,
        "seconds": round(seconds, 1),
        "violations": sum(len(result.violations) for result in totals.failed),
        "failed": [
            {
                "seed": result.seed,
                "settings": _settings(_plan(args, result.seed)),
                "violations": [
                    {"at": v.at, "invariant": v.invariant, "server": v.server, "text": v.text}
                    for v in result.violations
                ],
                "shrunk": [
                    fault.text(shrunk[result.seed].names) for fault in shrunk[result.seed].faults
                ]
                if result.seed in shrunk
                else None,
            }
            for result in totals.failed
        ],
    }


def _first(result: Result) -> str:
    first = result.violations[0]
    return f"seed {result.seed}: {first.invariant} at {_at(first.at)}: {first.text}"


def _at(at: int) -> str:
    return f"{at / SECOND:.3f} s"


class _Progress:
    """A bar on stderr; without a terminal a line each tenth."""

    def __init__(self, total: int, started: float) -> None:
        self._total = total
        self._started = started
        self._tenths = 0
        self._failed = 0

    def __call__(self, totals: Totals) -> None:
        if len(totals.failed) > self._failed:
            self._failed = len(totals.failed)
            output.passing("")
            assert totals.latest is not None
            output.note(_first(totals.latest))
        failed = f", {len(totals.failed)} FAILED" if totals.failed else ""
        text = f"{totals.runs}/{self._total} seeds, {totals.simulated / HOUR:.1f} h{failed}"
        if output.live():
            done = _BAR * totals.runs // self._total
            output.passing(f"[{'#' * done}{'.' * (_BAR - done)}] {text}")
        elif totals.runs * 10 // self._total > self._tenths:
            self._tenths = totals.runs * 10 // self._total
            output.note(f"{text}, {time.monotonic() - self._started:.0f} s")


def _say_shrinking(runs: int, left: int) -> None:
    output.passing(f"shrinking: {left} faults left after {runs} runs")
