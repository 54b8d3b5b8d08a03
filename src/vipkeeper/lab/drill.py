"""Plays acts inside the box and makes a report of what was measured."""

from __future__ import annotations

import os
import platform
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from vipkeeper.lab import measure, promises, traces
from vipkeeper.lab.act import Act, Runs
from vipkeeper.lab.box import made_by_root
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.managers import MANAGERS, Manager, Style
from vipkeeper.lab.measure import Attempts, Window
from vipkeeper.lab.needs import lacking
from vipkeeper.lab.processes import HostTooSlowError, LabError, NothingShownError
from vipkeeper.lab.recorder import Recorder
from vipkeeper.lab.stage import Figures, Stage, healed
from vipkeeper.lab.topology import lan, recorded
from vipkeeper.report.phases import milestones
from vipkeeper.report.run import (
    API_LATE,
    LATE,
    TOO_SLOW,
    ActResult,
    Client,
    Expectation,
    Lane,
    Milestones,
    RunReport,
    Span,
    Verdict,
)

LONG_GAP = 5
"""Intervals without service from which on a gap is listed, besides the longest one."""
LOG_TAIL = 1 << 16
"""Characters kept of each log."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play."""

    acts: tuple[Act, ...]
    runs: int = 1
    manager: str = "vipkeeper"
    interval_ms: int = 100
    seed: int = 0
    settings: tuple[str, ...] = ()
    """More lines of cluster.yaml."""
    style: Style | None = None
    """How the manager is set up; None: its first variant."""
    seconds: float | None = None
    """How long acts go on that have no end of their own; None: as long as each of them says."""


@dataclass(slots=True)
class Progress:
    """Whom to tell how far it is."""

    begins: Callable[[str], None] = field(default=lambda _: None)
    """Something that takes a while begins."""
    ended: Callable[[ActResult], None] = field(default=lambda _: None)
    """An act has ended."""


class Drill:
    """Plays a plan; what has been played so far is in `results` at any time."""

    def __init__(self, plan: Plan, directory: Path, progress: Progress, owner: str = "") -> None:
        """`owner`: the mark of this drill on what it makes outside the box (`cgroups.owner_name`)."""
        self.plan = plan
        self._owner = owner
        self.results: list[ActResult] = []
        self.logs: dict[str, str] = {}
        """What the programs on the servers wrote until an act failed: `ACT-RUN/SERVER-PROGRAM.log`."""
        self.started_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.manager: Manager = MANAGERS[plan.manager](plan.interval_ms, plan.settings, plan.style)
        self.cluster: Cluster | None = None
        self._recorder: Recorder | None = None
        self._directory = directory
        self._progress = progress
        self._lateness_us = 0
        self._api_late_ms = 0.0
        self._real_time: set[bool] = set()
        """Whether daemons were found with real-time scheduling, as their kernel says."""
        self._built = 0
        self._spoiled = False
        """The next act begins on a new cluster: the last one failed."""
        self.stage: Stage | None = None
        """Where the last act was played."""
        self.watched = False
        """Somebody judges the promises over all acts (`lab.watch`): an act need not judge its own trace."""

    def play(self) -> None:
        """Play every act, all of them once before the first one again.

        Raises:
            LabError: the lab itself failed.
            KeyboardInterrupt: the user has had enough.
        """
        for run in range(1, self.plan.runs + 1):
            for act in self.plan.acts:
                self._progress.begins(act.title)
                result = self.perform(act, run, self.plan.seed)
                self.results.append(result)
                self._progress.ended(result)

    def perform(self, act: Act, run: int, seed: int) -> ActResult:
        """Play one act with the random choices of a seed; nothing of it is added to the results.

        Raises:
            LabError: the lab itself failed.
        """
        result = self._play(act, run, seed)
        self._api_late_ms = max(self._api_late_ms, result.api_late_ms or 0.0)
        self._spoiled |= act.spoils and result.verdict is not Verdict.SKIPPED
        if result.verdict is Verdict.FAILED:
            self._spoiled = True
            self.keep_logs(f"{act.name}-{run}")
        return result

    def rest(self, act: Act) -> str:
        """Have the cluster that an act needs, in health; why not, where that fails.

        Raises:
            LabError: the lab itself failed.
        """
        self.stage = self._stage(act, random.Random(0))
        return self.stage.heal()

    def give_up(self) -> None:
        """Mend what an interrupted act has broken, so that all of it can end."""
        if self.stage is not None:
            self._undo(self.stage)

    def stop_measuring(self) -> None:
        """End the probes; the cluster stays as it is."""
        if self._recorder is not None:
            self._lateness_us = self._worst_us()
            self._recorder.close()
            self._recorder = None

    def report(self, *notes: str) -> RunReport:
        """What has been played so far."""
        conditions = {
            "kernel": platform.release(),
            "cores": str(len(os.sched_getaffinity(0))),
            "Python": platform.python_version(),
            "advert interval": f"{self.manager.interval_ms} ms",
            "variant": self.manager.variant.style,
            "namespaces": "made by root" if made_by_root() else "in a user namespace",
            "real-time scheduling": _granted(self._real_time),
            "settings": ", ".join(self.plan.settings) or "defaults",
            "seed": str(self.plan.seed),
            LATE: f"{self._worst_us() / 1000:.1f} ms",
            API_LATE: f"{self._api_late_ms:.1f} ms",
        }
        return RunReport(
            tool_version=self.manager.version(),
            started_at=self.started_at,
            manager=self.manager.name,
            conditions=conditions,
            acts=tuple(self.results),
            notes=notes,
        )

    def keep_logs(self, folder: str) -> None:
        """Keep what the programs on the servers have written so far."""
        for server in self.cluster.servers.values() if self.cluster is not None else ():
            for log in sorted(server.directory.glob("*.log")):
                text = log.read_text(errors="replace")[-LOG_TAIL:]
                self.logs[f"{folder}/{server.name}-{log.name}"] = text

    def _worst_us(self) -> int:
        return max(self._lateness_us, self._recorder.worst_lateness_us if self._recorder else 0)

    def _play(self, act: Act, run: int, seed: int) -> ActResult:
        if reason := self._unplayable(act):
            return _unplayed(act, run, reason, Verdict.SKIPPED)
        stage = self.stage = self._stage(act, random.Random(f"{seed}/{run}/{act.name}"))
        try:
            return self._played(stage, act, run)
        except NothingShownError as error:
            slow = TOO_SLOW if isinstance(error, HostTooSlowError) else ""
            self._spoiled |= bool(slow or stage.broken)
            self._undo(stage)
            return _unplayed(act, run, f"{slow}{error}", Verdict.SKIPPED)

    def _played(self, stage: Stage, act: Act, run: int) -> ActResult:
        """Raises NothingShownError: it cannot show what it is for."""
        if act.prepare is not None and (reason := self._prepared(stage, act.prepare)):
            return _unplayed(act, run, f"the act cannot be prepared: {reason}")
        if act.fresh:
            stage.all_off()
        elif ill := stage.heal() if self.watched else healed(stage):
            return _unplayed(act, run, f"the cluster was not healthy before the act: {ill}")
        else:
            servers = stage.cluster.servers.values()
            self._real_time |= {one.daemon.real_time for one in servers if one.daemon}
        written = traces.marks(stage.cluster)
        stage.cluster.ledger.begin()
        at_first = None if self.watched else promises.before(stage.cluster)
        stage.begin()
        try:
            act.play(stage)
        except NothingShownError:
            raise
        except LabError as error:
            figures = stage.measure()
            self._undo(stage)
            failed = Expectation("the act can be played", False, str(error))
            return _result(act, run, stage, figures, [failed], written)
        figures = stage.measure()
        self._undo(stage)
        kept, trace = promises.verdict(stage, figures, written, at_first)
        expected = [*act.judge(stage, figures), *stage.effects, *kept]
        if trace:
            self.logs[f"{act.name}-{run}/{traces.TRACE}"] = trace
        return _result(act, run, stage, figures, expected, written)

    def _unplayable(self, act: Act) -> str:
        """Why an act is skipped on this host, with this manager; empty where it is not."""
        if act.managers is Runs.VIPKEEPER and self.manager.name != Runs.VIPKEEPER.value:
            return f"{self.manager.name} has nothing that this act could break"
        return lacking(act.needs)

    def _prepared(self, stage: Stage, prepare: Callable[[Stage], None]) -> str:
        """Change the healthy cluster as the act wants it; why not, where that fails."""
        self._spoiled = True
        if ill := healed(stage):
            return ill
        stage.cluster.ledger.changing("the act is prepared")
        try:
            prepare(stage)
        except NothingShownError:
            raise
        except LabError as error:
            return str(error)
        return ""

    def _undo(self, stage: Stage) -> None:
        """Mend what the act broke; what cannot be mended, nobody else gets to see."""
        if stage.broken:
            stage.cluster.ledger.changing("what was broken is mended")
        try:
            stage.undo()
        except LabError:
            self._spoiled = True

    def _stage(self, act: Act, seeded: random.Random) -> Stage:
        """The cluster the act needs: the one there is, or a new one."""
        servers = len(self.cluster.servers) if self.cluster is not None else 0
        if self._spoiled or servers != act.servers:
            self._tear_down()
        if self.cluster is None or self._recorder is None:
            self._built += 1
            directory = self._directory / f"cluster{self._built}"
            self.cluster = Cluster(lan(act.servers), directory, self._owner)
            self.cluster.build()
            self.manager.prepare(self.cluster)
            probes = directory / "probes"
            self._recorder = Recorder(self.cluster.network, probes, watched=self.watched)
        seconds = self.plan.seconds if self.plan.seconds is not None else act.seconds
        return Stage(self.cluster, self._recorder, self.manager, seeded, seconds)

    def _tear_down(self) -> None:
        self.stop_measuring()
        if self.cluster is not None:
            self.cluster.remove()
        self.cluster = None
        self._spoiled = False


def _granted(found: set[bool]) -> str:
    if len(found) == 1:
        return "granted" if found == {True} else "not granted"
    return "granted to some" if found else "not looked at"


def _unplayed(act: Act, run: int, reason: str, verdict: Verdict = Verdict.FAILED) -> ActResult:
    nothing = Client(0.0, 0, 0, ())
    return ActResult(
        name=act.name,
        title=act.title,
        story=act.story,
        run=run,
        length=0.0,
        verdict=verdict,
        reason=reason,
        outage_ms=None,
        service_outage_ms=None,
        two_holders_ms=0.0,
        left_behind=False,
        moves=0,
        lanes=(),
        udp=nothing,
        tls=nothing,
        faults=(),
        markers=(),
    )


def _result(
    act: Act,
    run: int,
    stage: Stage,
    figures: Figures,
    expectations: Sequence[Expectation],
    written: dict[str, int],
) -> ActResult:
    unmet = [f"{e.text}: found {e.found}" for e in expectations if not e.met]
    window = figures.window
    measured = act.measures_outage
    return ActResult(
        name=act.name,
        title=act.title,
        story=act.story,
        run=run,
        length=_seconds(window.length),
        verdict=Verdict.FAILED if unmet else Verdict.PASSED,
        reason="; ".join(unmet),
        outage_ms=_milliseconds(figures.outage) if measured else None,
        service_outage_ms=_milliseconds(figures.service_outage) if measured else None,
        two_holders_ms=_milliseconds(figures.two_holders),
        left_behind=bool(figures.left_behind),
        moves=figures.moves,
        lanes=_lanes(stage, figures),
        udp=_client(stage.recorder.udp, window, stage.counts_from),
        tls=_client(stage.recorder.tls, window, stage.counts_from),
        faults=tuple(_span(Window(b.start, b.end or window.end), window) for b in stage.broken),
        markers=stage.marks(figures),
        expectations=tuple(expectations),
        milestones=_milestones(stage, figures, written),
        network=recorded(stage.cluster.network),
        api_late_ms=_milliseconds(figures.api_late) if figures.api_late is not None else None,
    )


def _milestones(stage: Stage, figures: Figures, written: dict[str, int]) -> Milestones | None:
    """What the daemons wrote of the first takeover; the client's return is measured."""
    window = figures.window
    gaps = measure.gaps(stage.recorder.udp, window)
    return milestones(
        traces.read(stage.cluster, written, window),
        start=window.start,
        end=window.end,
        faults=[broken.start for broken in stage.broken],
        unserved=[(gap.start, gap.end) for gap in gaps],
    )


def _lanes(stage: Stage, figures: Figures) -> tuple[Lane, ...]:
    """A lane for every server, and for every stranger that answered for the VIP."""
    window, recorder = figures.window, stage.recorder
    held = measure.held_spans(recorder.changes(), stage.cluster.servers, window)
    answered = measure.answer_spans(recorder.answerers(), window)
    names = [*stage.cluster.servers, *sorted(set(answered) - set(stage.cluster.servers))]
    return tuple(
        Lane(
            name,
            tuple(_span(span, window) for span in held.get(name, ())),
            tuple(_span(span, window) for span in answered.get(name, ())),
        )
        for name in names
    )


def _client(attempts: Attempts, window: Window, since: int) -> Client:
    """What it saw; among its gaps the one whose length is the outage, however short."""
    found = measure.gaps(attempts, window)
    after = (gap for gap in found if gap.start >= since)
    longest = max(after, key=lambda gap: gap.length, default=None)
    long = [gap for gap in found if gap is longest or gap.length > LONG_GAP * attempts.interval]
    return Client(
        interval_ms=attempts.interval / 1e6,
        sent=attempts.sent(window),
        lost=len(attempts.lost(window)),
        gaps=tuple(_span(gap, window) for gap in long),
    )


def _span(span: Window, window: Window) -> Span:
    start = max(0, span.start - window.start)
    return Span(_seconds(start), _seconds(max(start, span.end - window.start)))


def _seconds(nanoseconds: int) -> float:
    return round(nanoseconds / 1e9, 6)


def _milliseconds(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)
