"""Plays a soak inside the box: faults from a seed with quiet spells between, judged all the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vipkeeper.core.types import MILLISECOND, Settings
from vipkeeper.lab import act as acts
from vipkeeper.lab import between, lateness, measure
from vipkeeper.lab.act import Act
from vipkeeper.lab.between import Course
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.drill import Drill
from vipkeeper.lab.kernel import now
from vipkeeper.lab.managers import Vipkeeper
from vipkeeper.lab.measure import Window
from vipkeeper.lab.recorder import STANDSTILL, UDP_EVERY, UDP_PATIENCE
from vipkeeper.lab.schedule import Step, step
from vipkeeper.lab.stage import Figures, Stage
from vipkeeper.lab.watch import Watch
from vipkeeper.report.run import API_LATE, LATE, ActResult, Expectation, Verdict
from vipkeeper.report.soak import (
    Soak,
    SoakFault,
    SoakMove,
    SoakOutage,
    SoakPart,
    SoakSkip,
    SoakViolation,
)

SPELL = 30.0
"""Seconds of one spell of a soak without faults: as often its record is written."""
LAG = 300 * MILLISECOND
"""How far behind samples are judged: answers and lines of a trace may be on their way."""
CONDITIONS = (
    "kernel", "cores", "Python", "namespaces", "real-time scheduling", LATE, API_LATE,
)  # fmt: skip
"""What a record says of the host, of all that a drill does."""
TOUCHES = 5 * MILLISECOND
"""An outage that ends or begins so near the edge of what is gathered at once goes on beyond it."""


def _watch(stage: Stage) -> None:
    stage.recorder.watch(stage.seconds)


def _nothing_happens(stage: Stage, figures: Figures) -> list[Expectation]:
    return between.nothing_happens(stage.recorder, figures, Course(broken=False))


QUIET_ACT = Act(
    "quiet",
    "Nothing is broken",
    "The VIP stays where it is, and no client notices anything.",
    _watch,
    _nothing_happens,
    in_story=False,
    most_moves=0,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a promise was broken."""

    result: ActResult
    """With the reason; its picture shows the time around it."""
    seed: int | None
    """Decides the choices of the act; None: nothing was being broken."""
    traces: dict[str, str]
    """The last of what each server's daemon wrote, by server."""


class Soaking:
    """Plays on until the record has its hours or a promise is broken."""

    def __init__(
        self,
        drill: Drill,
        faults: Sequence[Act],
        record: Soak,
        save: Callable[[Soak], None],
        tell: Callable[[Soak, ActResult], None],
    ) -> None:
        """`record`: with what earlier parts came to; `save` is called after every fault, then `tell`."""
        assert isinstance(drill.manager, Vipkeeper)
        drill.watched = True
        self.record = record
        self.failure: Failure | None = None
        self._quiet = replace(QUIET_ACT, judge=self._nothing_happens)
        self._drill = drill
        self._faults = faults
        self._save = save
        self._tell = tell
        self._cluster: Cluster | None = None
        self._watch: Watch | None = None
        self._earlier, self._began = record.parts, record.length
        self._zero: int | None = None
        """The instant that the record counts from."""
        self._from = 0
        """Until when samples were gathered."""
        self._since = 0
        """From when on what was seen is of no act: until the next one begins it is judged as one stretch."""
        self._calm: int | None = None
        """Since when nothing is broken; None: an act broke something, and no quiet spell has begun since."""
        self._last: tuple[ActResult, int | None] | None = None
        """The newest act or quiet spell, with its seed: what is found later came of it."""

    def play(self) -> None:
        """Go on with the record.

        Raises:
            HostError: the lab failed, or the record cannot be written.
        """
        while self.failure is None and self.record.length < self.record.hours * 3600:
            if self.record.quiet:
                self._play(self._quiet, SPELL, None)
            else:
                record = self.record
                self._step(step(self._faults, record.seed, record.drawn, paired=record.pairs))

    def _step(self, one: Step) -> None:
        self._play(self._quiet, one.quiet, None)
        if self.failure is None:
            self.record = replace(self.record, drawn=self.record.drawn + 1)
            self._play(one.act, one.act.seconds, one.seed)

    def _play(self, act: Act, seconds: float, seed: int | None) -> None:
        """One act or quiet spell; saved when it is over."""
        illness = self._drill.rest(act)
        self._enter()
        result = self._last[0] if self._last else None
        if illness:
            self._stage.recorder.settle(now() - LAG)
            self._collect(now() - LAG)
            self._fail(f"the cluster does not come back to health: {illness}")
        else:
            self._between(now() - LAG)
        if self.failure is None:
            result = self._perform(replace(act, seconds=seconds), seed)
        if self.failure is not None and self._watch is not None:
            self.failure = replace(self.failure, traces=self._watch.traces())
        self.record = replace(self.record, parts=(*self._earlier, self._part()))
        self._save(self.record)
        if result is not None and (seed is not None or self.record.quiet or self.failure):
            self._tell(self.record, result)

    def _perform(self, act: Act, seed: int | None) -> ActResult:
        """Play an act on the cluster that has come to rest, and judge it with all that came before it."""
        result = self._drill.perform(act, 1, seed or 0)
        stage = self._stage
        if result.length or stage.broken:
            self._last = self._last or (result, seed)
            # The cluster is brought to rest once more before time begins: that too is of the act before.
            self._between(stage.began)
        result, still = self._judged(act, result)
        if result.length or result.verdict is not Verdict.SKIPPED:
            self._ended(result, seed, still)
        elif seed is not None:
            skip = SoakSkip(self.record.length, result.name, result.reason)
            self.record = replace(self.record, skipped=(*self.record.skipped, skip))
            if stage.broken:
                # The host was too slow for an act that had begun: what might be seen until now is not known.
                self._since, self._calm = now(), None
        return result

    def _nothing_happens(self, stage: Stage, figures: Figures) -> list[Expectation]:
        """The judge of a quiet spell."""
        since = stage.began if self._calm is None else self._calm
        return between.nothing_happens(
            stage.recorder, figures, self._course(figures.window, since=since)
        )

    def _course(self, window: Window, *, since: int | None) -> Course:
        """What explains what is seen in a window; `since`: nothing is broken since then, None: something was.

        Raises:
            LabError: a stand-in does not say when it was late.
        """
        stage, known = self._stage, self._stage.cluster.ledger.configured.values()
        within = max((explained_within(one.settings) for one in known), default=0)
        # Where a stand-in was late by what an act did to it, the cluster has come to rest since.
        first = max(window.start - within, since or 0)
        starved = lateness.starved(stage.cluster, first, STANDSTILL)
        excuses = (*stage.recorder.stalls(STANDSTILL), *starved)
        return Course(since is None, excuses, within)

    def _judged(self, act: Act, result: ActResult) -> tuple[ActResult, int | None]:
        """The verdict of an act, where the host let it be played; else for how many nanoseconds it did not."""
        # A quiet spell was judged by what the host did meanwhile.
        if result.verdict is not Verdict.FAILED or (act.name == QUIET_ACT.name and result.length):
            return result, None
        window = self._window(result)
        self._stage.recorder.settle(window.end)
        what, still = "the host stood still", self._stage.recorder.late(window)
        if still <= STANDSTILL and result.moves and not act.most_moves:
            struck = self._stage.struck()
            starved = lateness.starved(self._stage.cluster, window.start, STANDSTILL, struck)
            lengths = [one.length for one in starved if one.start < window.end]
            what = "an API server's stand-in waited for a processor"
            still = max(lengths, default=0)
        if still <= STANDSTILL:
            return result, None
        reason = f"not judged: {what} for {acts.ms(still)} ({result.reason})"
        return replace(result, verdict=Verdict.SKIPPED, reason=reason), still

    def _window(self, result: ActResult) -> Window:
        """From when to when an act was; one that did not begin, until now."""
        began = self._stage.began
        return Window(began, began + round(result.length * 1e9) if result.length else now())

    def _part(self) -> SoakPart:
        found = self._drill.report().conditions
        told = {name: found[name] for name in CONDITIONS}
        return SoakPart(self._began, self._drill.started_at, told)

    def _enter(self) -> None:
        """A new cluster begins with the moment it is healthy; what came before is nobody's fault."""
        cluster = self._drill.cluster
        assert cluster is not None
        if cluster is self._cluster:
            return
        self._cluster, self._watch = cluster, Watch(self._stage)
        self._since = self._from = self._calm = self._watch.start
        self._keep()
        self._zero = self._from - round(self.record.length * 1e9)

    @property
    def _stage(self) -> Stage:
        assert self._drill.stage is not None
        return self._drill.stage

    def _between(self, end: int) -> None:
        """The time in which the last fault was cleared away, until an instant."""
        if end <= self._from:
            return
        recorder, window = self._stage.recorder, Window(self._since, end)
        recorder.settle(end)
        found = between.broken(recorder, window, self._course(window, since=self._calm))
        self._collect(end)
        for one in found:
            self._fail(f"between: {one.text}", self._at(one.at))

    def _keep(self) -> None:
        """Nothing is forgotten that has not been judged; the last questions of a window are judged with the next."""
        self._stage.recorder.needed = min(self._since, self._from) - UDP_PATIENCE

    def _ended(self, result: ActResult, seed: int | None, unjudged: int | None) -> None:
        stage = self._stage
        end = stage.began + round(result.length * 1e9)
        if seed is not None:
            self._calm = None
        elif self._calm is None:
            self._calm = stage.began
        if seed is not None and stage.broken:
            last = max(window.end or end for window in stage.broken)
            victim = stage.victim.name if stage.victim else None
            still = round(unjudged / 1e9, 3) if unjudged is not None else None
            begin = self._at(stage.broken[0].start)
            one = SoakFault(begin, self._at(last), result.name, victim, still)
            self.record = replace(self.record, faults=(*self.record.faults, one))
        self._last = result, seed
        if result.verdict is Verdict.FAILED:
            self._fail(result.reason)
        self._collect(max(self._from, end - LAG))
        self._since = self._from
        self._keep()

    def _collect(self, end: int) -> None:
        """Add outages and moves until now to the record, and have the traces judged."""
        window = Window(self._from, end)
        self._from = end
        moves = measure.moves(self._stage.recorder.changes(), window)
        told = [SoakMove(self._at(one.at), one.server, one.before) for one in moves]
        self.record = replace(
            self.record,
            outages=self._outages(window),
            moves=(*self.record.moves, *told),
            seconds=max(self.record.length, self._at(end)),
        )
        assert self._watch is not None
        for broken in self._watch.look(end):
            self._fail(f"{broken.invariant}: {broken.text}", self._at(broken.at))

    def _outages(self, window: Window) -> tuple[SoakOutage, ...]:
        """Those of the record and of the window; one that spans windows is one."""
        assert self._watch is not None
        found, edge = list(self.record.outages), window.start
        # The last questions of the window before could not be judged in it.
        whole = Window(max(self._watch.start, edge - UDP_PATIENCE), window.end)
        for gap in measure.gaps(self._stage.recorder.udp, whole):
            start, end = self._at(gap.start), self._at(gap.end)
            goes_on = gap.start - edge < TOUCHES and gap.end > edge - TOUCHES
            if goes_on and found and abs(self._at(edge) - found[-1].end) < TOUCHES / 1e9:
                last = found.pop()
                start, end = min(start, last.start), max(end, last.end)
            elif gap.length < UDP_PATIENCE:
                continue
            found.append(SoakOutage(start, end))
        return tuple(found)

    def _at(self, instant: int) -> float:
        """Seconds of the record."""
        assert self._zero is not None
        return max(0.0, round((instant - self._zero) / 1e9, 6))

    def _fail(self, said: str, at: float | None = None) -> None:
        """Write a broken promise down; the first one is shown, with the newest act."""
        when = self._at(now()) if at is None else at
        broken = (*self.record.violations, SoakViolation(when, said))
        length = max(self.record.length, when)
        self.record = replace(self.record, violations=broken, seconds=length)
        if self.failure is not None or self._watch is None:
            return
        if self._last is None:
            self._last = self._drill.perform(replace(QUIET_ACT, seconds=0.5), 1, 0), None
        shown, seed = self._last
        shown = replace(shown, verdict=Verdict.FAILED, reason=said)
        self._drill.keep_logs(f"{shown.name}-1")
        self.failure = Failure(shown, seed, {})


def explained_within(settings: Settings) -> int:
    """Nanoseconds after the host stood still in which a move of the VIP may come of that, and of nothing later.

    The longest that timers take together (docs/protocol.md, Bounds): a holder that heard nobody resigns as deaf,
    and then an answer for a VIP whose lease ran out meanwhile delays the claim by T_L, or a soft failure is waited out.
    """
    return settings.deaf_after + max(settings.unconditional_after, settings.soft_failure_after)


def new_record(seed: int, hours: float, quiet: bool, started: str, version: str) -> Soak:
    """Of a soak that has not begun."""
    return Soak(
        seed=seed,
        started=started,
        hours=hours,
        faults=(),
        outages=(),
        moves=(),
        violations=(),
        tool_version=version,
        seconds=0.0,
        probe_ms=UDP_EVERY * 1000,
        quiet=quiet,
    )
