"""`vipkeeper drill`: break a cluster in a box and measure what a client sees."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import re
import secrets
import shutil
import signal
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from vipkeeper import __version__
from vipkeeper.cli import drill_soak, drill_why, output
from vipkeeper.cli.drill_acts import chosen, listed
from vipkeeper.cli.drill_progress import begins, clear, ended
from vipkeeper.cli.drill_times import act_length, advert_interval
from vipkeeper.cli.report_folder import (
    DEFAULT,
    LOGS,
    check_replaceable,
    chosen_folder,
    ready,
    write_folder,
)
from vipkeeper.config import table
from vipkeeper.config.checker import suggestion
from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.errors import ExitCode, UsageError
from vipkeeper.lab import cgroups
from vipkeeper.lab.box import BoxError, in_box, made_by_root, outer_pid
from vipkeeper.lab.catalogue import Suite
from vipkeeper.lab.drill import Drill, Plan, Progress
from vipkeeper.lab.managers import MANAGERS, OWN_KEYS, PEERS, STYLES, Style
from vipkeeper.lab.processes import LabError
from vipkeeper.lab.topology import lan
from vipkeeper.report import html, svg, terminal
from vipkeeper.report import json as report_json
from vipkeeper.report.run import RunReport, Verdict
from vipkeeper.report.summary import summaries

NAME = "drill"
HELP = """\
Builds a cluster in a box (servers, router, client and observer in network namespaces of their own),
breaks it act by act with the real daemon on every server, and measures what a client and the LAN see.
Nothing but the report stays on this host (after SIGKILL perhaps a control group,
which the next drill removes). Without ACT the whole story is played; `drill list` shows the acts.
`drill soak --hours H` breaks it at random for hours; docs/soak.md.
What this host lacks skips an act by name. Needs root, or user namespaces; where there are none the story is played in
the simulator, and says so.

Exit codes: 0 no act failed, 1 one failed, 2 usage, no namespaces, or every act skipped, 130 interrupted."""

LEASE_INTERVALS = 4
"""The least kernel lease, in advert intervals."""
_FORMATS = ("text", "json", "svg", "html")
_SETTING = re.compile(r"([a-z_]+)=(\S[^\n]*)")
_TERMINAL_WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "acts", nargs="*", metavar="ACT", help="acts to play, ACT+ACT for two at once, or 'list'"
    )
    parser.add_argument(
        "--suite", choices=[suite.value for suite in Suite], help="play a choice of acts"
    )
    parser.add_argument("--runs", type=_count, default=1, metavar="N", help="play them N times")
    output.add_output_option(parser, _FORMATS)
    output.add_ascii_option(parser)
    parser.add_argument(
        "--report",
        type=Path,
        metavar="DIR",
        help=f"folder for JSON, pictures and the page (default: ./{DEFAULT})",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep the cluster afterwards to look around, until Ctrl-C",
    )
    parser.add_argument(
        "--manager",
        choices=["vipkeeper", *(peer.name for peer in PEERS)],
        default="vipkeeper",
        help="who holds the VIP",
    )
    parser.add_argument(
        "--variant",
        type=_style,
        metavar="NAME",
        help=f"how a peer is set up, its first unless named ({STYLES})",
    )
    parser.add_argument(
        "--interval",
        type=advert_interval,
        default=100,
        metavar="TIME",
        help="time between two adverts, 10ms to 5s (default: 100ms); above 750ms it needs a longer "
        "lease, such as --set kernel_lease=4s",
    )
    parser.add_argument(
        "--set",
        dest="settings",
        type=setting,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another setting of cluster.yaml, such as profile=vm; can be repeated",
    )
    parser.add_argument(
        "--for",
        dest="seconds",
        type=act_length,
        metavar="TIME",
        help="how long acts go on that have no end of their own, such as 60s; 'drill list' names them",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="repeat the random choices of a run")
    drill_soak.add_arguments(parser)
    drill_why.add_arguments(parser)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1000")
    return int(text)


def _style(text: str) -> Style:
    try:
        return Style(text)
    except ValueError:
        choices = ", ".join(Style)
        raise argparse.ArgumentTypeError(
            f"unknown variant {text!r}, expected one of {choices}{suggestion(text, Style)}"
        ) from None


def setting(text: str) -> str:
    """One line of cluster.yaml from KEY=VALUE; ArgumentTypeError where it is none."""
    match = _SETTING.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no KEY=VALUE of one line")
    if match[1] == table.ADVERT_INTERVAL.name:
        raise argparse.ArgumentTypeError(f"for {match[1]} there is --interval {match[2]}")
    if match[1] in OWN_KEYS:
        raise argparse.ArgumentTypeError(f"the drill itself sets {match[1]}")
    return f"{match[1]}: {match[2]}"


def main(args: argparse.Namespace) -> int:
    """Play the acts, or list them."""
    if args.acts[:1] == [drill_soak.SOAK] or drill_soak.asked(args):
        return drill_soak.main(args)
    if args.why:
        return drill_why.main(args)
    if args.bundles is not None:
        raise UsageError("--bundles belongs to 'drill --why': an act leaves its logs in --report")
    if "list" in args.acts:
        if len(args.acts) > 1:
            raise UsageError("drill list: it lists all acts, no others can be named with it")
        output.emit(listed(args.suite))
        return ExitCode.OK
    asked = output.targets(args)
    acts = chosen(args.acts, args.suite)
    if len(acts) > 1 and any(target.format == "svg" for target in asked):
        raise UsageError("--output svg draws one act: name one (the report folder has them all)")
    seed = args.seed if args.seed is not None else secrets.randbelow(1_000_000)
    if args.settings and args.manager != "vipkeeper":
        raise UsageError(f"--set: {args.manager} has no cluster.yaml")
    if args.seconds and not any(act.seconds for act in acts):
        raise UsageError(f"--for: every act named here has an end of its own ({acts[0].name})")
    plan = Plan(
        acts=acts,
        runs=args.runs,
        manager=args.manager,
        interval_ms=args.interval,
        seed=seed,
        settings=tuple(args.settings),
        style=args.variant,
        seconds=args.seconds,
    )
    check_settings(plan)
    with ready(chosen_folder(args)):
        check_replaceable(chosen_folder(args))
        output.check_files(asked)  # a file may be meant for the folder that was just made
        for left in cgroups.sweep():
            output.note(f"drill: removed what a killed drill left: control group {left}")
        show = _Show(plan, args, asked)
        let_go, clear_away = (partial(do, show.owner) for do in (cgroups.let_go, cgroups.clear))
        try:
            code = in_box(show.inside, show.outside, show.keep, let_go, clear_away)
        except BoxError as error:
            return _simulated(error, plan, args, asked)
        return code if show.code is None else show.code


def _simulated(
    error: BoxError, plan: Plan, args: argparse.Namespace, asked: Sequence[output.Target]
) -> int:
    """No namespaces here: say so first, then play the same story in the simulator.

    Raises:
        BoxError: what was asked for can only be played on real kernels.
    """
    from vipkeeper.sim.story import SCENES, play_story

    real = [act.name for act in plan.acts if act.name not in SCENES]
    if real or args.settings or args.keep or plan.manager != "vipkeeper":
        raise error
    output.note(f"drill: {error}")
    output.note("drill: what follows is simulated: virtual time, no kernel, no real daemon")
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    acts = play_story(
        [(act.name, act.title, act.story) for act in plan.acts],
        interval=plan.interval_ms * MILLISECOND,
        seed=plan.seed,
        done=ended,
    )
    report = RunReport(
        tool_version=__version__,
        started_at=started,
        manager="vipkeeper, simulated",
        conditions={
            "advert interval": f"{plan.interval_ms} ms",
            "simulated": "virtual time, no kernel",
            "seed": str(plan.seed),
        },
        acts=acts,
        notes=(f"simulated: {error}",),
    )
    try:
        write_folder(report, {}, chosen_folder(args))
    finally:
        _deliver(report, asked, args)
    output.note(f"\nreport: {chosen_folder(args) / 'index.html'}")
    return exit_code(act.verdict for act in report.acts)


def exit_code(verdicts: Iterable[Verdict]) -> ExitCode:
    """What verdicts come to. A drill of which everything was skipped has shown nothing."""
    found = set(verdicts)
    if Verdict.FAILED in found:
        return ExitCode.FINDINGS
    return ExitCode.USAGE if found == {Verdict.SKIPPED} else ExitCode.OK


def check_settings(plan: Plan) -> None:
    """Refuse what the daemons would refuse, before anything is built.

    Raises:
        UsageError: their configuration would be wrong; says so in its own words.
    """
    kind = MANAGERS[plan.manager]
    try:
        manager = kind(plan.interval_ms, plan.settings, plan.style)
    except LabError as error:
        raise UsageError(f"--variant: {error}") from None
    if reason := kind.missing():
        raise UsageError(f"--manager {plan.manager}: {reason}")
    networks = [lan(servers) for servers in sorted({act.servers for act in plan.acts})]
    mistakes = dict.fromkeys(line for network in networks for line in manager.mistakes(network))
    lease = math.ceil(plan.interval_ms * LEASE_INTERVALS / 1000)
    given = any(line.startswith("kernel_lease:") for line in plan.settings)
    forced = lease * SECOND > table.KERNEL_LEASE.kind.example and not given
    if mistakes and forced:
        mistakes[f"add --set kernel_lease={lease}s"] = None
    if mistakes:
        raise UsageError("\n".join(f"drill: {line}" for line in mistakes))


class _Show:
    """One drill: the part inside the box and the part outside."""

    def __init__(
        self, plan: Plan, args: argparse.Namespace, asked: Sequence[output.Target]
    ) -> None:
        self.code: int | None = None
        """Exit code, once there is a result."""
        self._plan = plan
        self._args = args
        self._folder = chosen_folder(args)
        self._asked = asked
        self._drill: Drill | None = None
        self.owner = cgroups.owner_name()
        """The mark on its control groups."""

    def inside(self, directory: Path) -> bytes:
        """Play; a JSON object of the report, the logs of failed acts, and whether it was interrupted."""
        self._drill = Drill(self._plan, directory, Progress(begins, ended), self.owner)
        interrupted, notes = False, []
        try:
            self._drill.play()
        except KeyboardInterrupt:
            total = len(self._plan.acts) * self._plan.runs
            interrupted = True
            notes.append(f"interrupted after {len(self._drill.results)} of {total} acts")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if interrupted:
            self._drill.give_up()
        self._drill.stop_measuring()
        clear()
        report = report_json.dump_run(self._drill.report(*notes))
        parcel = {"interrupted": interrupted, "report": report, "logs": self._drill.logs}
        return json.dumps(parcel).encode()

    def outside(self, data: bytes) -> None:
        """Write the report folder and the outputs asked for."""
        parcel = json.loads(data)
        report = report_json.load_run(parcel["report"])
        if parcel["interrupted"] and not report.acts:  # the report that is there says more
            output.note(f"drill: {report.notes[0]}")
            self.code = ExitCode.INTERRUPTED
            return
        try:
            write_folder(report, parcel["logs"], self._folder)
        finally:
            _deliver(report, self._asked, self._args)
        output.note(f"\nreport: {self._folder / 'index.html'}")
        if parcel["logs"]:
            output.note(f"logs of the servers: {self._folder / LOGS}")
        if parcel["interrupted"]:
            output.note(f"drill: {report.notes[0]}")
            self.code = ExitCode.INTERRUPTED
        else:
            self.code = exit_code(act.verdict for act in report.acts)

    def keep(self) -> None:
        """With `--keep`: say how to look around and stay until Ctrl-C."""
        assert self._drill is not None
        if not self._args.keep or self._drill.cluster is None:
            return
        user = "" if made_by_root() else " -U --preserve-credentials"
        enter = f"nsenter -t {outer_pid()}{user} -n -m -p"
        names = " ".join(self._drill.cluster.servers)
        output.note(
            f"\nThe cluster stays until Ctrl-C. Its namespaces: {names} router client observer lan\n"
            f"  {enter} ip netns exec cp1 ip address\n"
            f"  {enter} ip netns exec client bash\n"
            f"  {enter} ls {self._drill.cluster.directory}   # logs, traces, configuration"
        )
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                signal.pause()


def _deliver(report: RunReport, asked: Sequence[output.Target], args: argparse.Namespace) -> None:
    width = shutil.get_terminal_size((_TERMINAL_WIDTH, 24)).columns

    def text(style: output.Style) -> str:
        return terminal.render_run(report, ascii=style.ascii, color=style.colour, width=width)

    def drawing(_: output.Style) -> str:
        return svg.timeline(summaries(report)[0].worst)

    output.deliver(
        asked,
        {
            "text": text,
            "json": lambda _: report_json.dump_run(report),
            "svg": drawing,
            "html": lambda _: html.page(report),
        },
        ascii_only=args.ascii,
        instead="text",
    )
