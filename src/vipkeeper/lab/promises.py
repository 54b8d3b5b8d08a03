"""Whether daemons of the lab kept the promises of the protocol: their traces and the lab's facts as one
trace, judged by the predicates of `core.invariants` (docs/trace.md, "The lab").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from vipkeeper.core.actions import State
from vipkeeper.core.facts import (
    AnswersChanged,
    DaemonChanged,
    DaemonState,
    HostChanged,
    PowerChanged,
    ServedChanged,
    StateKnown,
    VipChanged,
)
from vipkeeper.core.invariants.checker import Checker
from vipkeeper.core.invariants.reading import PATIENCE, REST, Reader
from vipkeeper.core.invariants.situation import Situation
from vipkeeper.core.invariants.violation import Violation
from vipkeeper.core.types import MILLISECOND, Duration, Instant
from vipkeeper.lab import measure, traces
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.measure import Window
from vipkeeper.lab.merging import Merging, Told
from vipkeeper.lab.recorder import Recorder
from vipkeeper.lab.stage import Figures, Stage
from vipkeeper.report.run import Expectation

KEPT = "every promise of the protocol was kept"
UNSERVED: Duration = 100 * MILLISECOND
"""A client that waits longer than this is not served: less is a datagram or two."""
LEAST_LATE: Duration = 20 * MILLISECOND
"""The least lateness that safety bounds allow for: kernels are heard by a process that has to wake up too."""
SHOWN = 3
"""Violations named in a verdict."""


@dataclass(frozen=True, slots=True)
class Before:
    """What was so when an act began."""

    states: Mapping[str, State]
    powered: frozenset[str]
    running: frozenset[str]


def before(cluster: Cluster) -> Before:
    """Ask just before the act begins."""
    servers = cluster.servers.values()
    known = traces.known(cluster)
    cluster.ledger.configured |= {n: k.configured for n, k in known.items() if k.configured}
    return Before(
        {name: one.state for name, one in known.items()},
        frozenset(server.name for server in servers if server.powered),
        frozenset(s.name for s in servers if s.daemon is not None and s.daemon.running),
    )


class Judge:
    """Judges one trace of daemons and lab, given piece by piece; what it keeps does not grow with them."""

    def __init__(self, hear: Callable[[bytes], None] | None = None) -> None:
        """`hear`: gets every line of the one trace too."""
        self._reader = Reader(Checker(patience=PATIENCE, rest=REST))
        self._merging = Merging()
        self._hear = hear
        self._found = 0

    @property
    def situation(self) -> Situation:
        """As the trace tells it so far."""
        return self._reader.checker.situation

    def take(
        self, daemons: Mapping[str, Iterable[bytes]], facts: Iterable[Told], until: Instant
    ) -> list[Violation]:
        """What a piece shows broken; `Merging.piece` says of what it is made."""
        for text in self._merging.piece(daemons, facts, until):
            self._reader.take(text)
            if self._hear is not None:
                self._hear(text)
        return self._new(self._reader.checker.violations)

    def finish(self, until: Instant) -> list[Violation]:
        """What else was broken, now that the trace ends."""
        return self._new(self._reader.finish(until)) if self.situation.servers else []

    def _new(self, every: list[Violation]) -> list[Violation]:
        found = every[self._found :]
        self._found = len(every)
        return found


def judge(
    daemons: Mapping[str, Iterable[bytes]], facts: Iterable[Told], *, until: Instant
) -> list[Violation]:
    """What was broken in one act.

    `daemons`: the lines of each server's trace; `facts`: in order of time, the `Configured` of every server
    first. Both are read once, line by line.
    """
    one = Judge()
    return [*one.take(daemons, facts, until), *one.finish(until)]


def merged(
    daemons: Mapping[str, Iterable[bytes]], facts: Iterable[Told], *, until: Instant
) -> Iterator[bytes]:
    """One trace of daemons and lab, in order of time, as lines without newlines."""
    return Merging().piece(daemons, facts, until)


def verdict(
    stage: Stage, figures: Figures, written: Mapping[str, int], at_first: Before | None
) -> tuple[list[Expectation], str]:
    """What an act must show, and its whole trace for `vipkeeper report` where it does not.

    `at_first`: None where nobody asks. There is no verdict on daemons that write no trace.
    """
    if at_first is None or not stage.manager.traced:
        return [], ""
    facts = told(stage, figures, at_first)
    if not facts:
        unknown = "not judged: a trace does not say its writer's settings"
        return [Expectation(KEPT, False, unknown)], ""
    window = figures.window
    broken = judge(traces.lines(stage.cluster, written, window), facts, until=window.end)
    if not broken:
        return [Expectation(KEPT, True, "none broken")], ""
    daemons = traces.lines(stage.cluster, written, window)
    names = [f"{one.invariant}: {one.text}" for one in broken[:SHOWN]]
    if len(broken) > SHOWN:
        names.append(f"{len(broken) - SHOWN} more")
    every = merged(daemons, facts, until=window.end)
    whole = "".join(f"{text.decode('ascii')}\n" for text in every)
    return [Expectation(KEPT, False, "; ".join(names))], whole


def told(stage: Stage, figures: Figures, at_first: Before) -> list[Told]:
    """All facts of an act in order of time; none where the daemons do not say their settings."""
    window, cluster = figures.window, stage.cluster
    configured = cluster.ledger.configured
    for name, lines in traces.lines(cluster, traces.BEGINNING, window).items():
        if name not in configured and (found := traces.first_settings(lines)) is not None:
            configured[name] = found
    if len(configured) < len(cluster.servers):
        return []
    start = window.start
    facts = first(stage, at_first, window)
    facts += addresses(stage.recorder, window, strict=strict(cluster))
    facts += served(stage.recorder, window)
    facts += [(max(at, start), fact) for at, fact in cluster.ledger.told]
    facts.sort(key=lambda one: one[0])
    return facts


def strict(cluster: Cluster) -> bool:
    """A strict lease may silence a kernel that has the VIP."""
    every = cluster.ledger.configured.values()
    return any(fact.settings.strict_lease is not None for fact in every)


def lateness(recorder: Recorder, window: Window) -> Duration:
    """What timers are taken to have been late by: as the recorder says (`Recorder.late`). More than a second is a disturbance."""
    return max(LEAST_LATE, recorder.late(window))


def first(stage: Stage, at_first: Before, window: Window) -> list[Told]:
    """What is so of every server when a trace begins, and what timers were late by in all of it."""
    start = window.start
    facts: list[Told] = [(start, fact) for fact in stage.cluster.ledger.configured.values()]
    late = lateness(stage.recorder, window)
    for name in stage.cluster.servers:
        runs = name in at_first.running
        state = at_first.states.get(name, State.STOPPED) if runs else State.STOPPED
        daemon = DaemonState.RUNNING if runs else DaemonState.STOPPED
        facts += [
            (start, PowerChanged(name, name in at_first.powered)),
            (start, DaemonChanged(name, daemon)),
            (start, HostChanged(name, late, False)),
            (start, StateKnown(name, state)),
        ]
    return facts


def addresses(
    recorder: Recorder, window: Window, *, strict: bool, since: Instant = 0
) -> list[Told]:
    """Whose kernel has the VIP. It answers then, unless a strict lease silences it: that the wire shows.

    `since`: what was before has been told.
    """
    found: list[Told] = []
    for change in recorder.changes():
        if change.at < since:
            continue
        at = max(change.at, window.start)
        found.append((at, VipChanged(change.server, change.held)))
        if not strict:
            found.append((at, AnswersChanged(change.server, change.held)))
    if strict:
        names = {server.name for server in recorder.network.servers}
        for name, spans in measure.answer_spans(recorder.answerers(), window).items():
            for span in spans if name in names else ():
                found.append((span.start, AnswersChanged(name, True)))
                found.append((span.end, AnswersChanged(name, False)))
    return found


def served(recorder: Recorder, window: Window, *, since: Instant = 0) -> list[Told]:
    """Who answers the client; nobody while it waits. `since`: what was before has been told."""
    gaps = [gap for gap in measure.gaps(recorder.udp, window) if gap.length > UNSERVED]
    marks = sorted([
        *((gap.start, None) for gap in gaps),
        *recorder.served,
        *((gap.end, "") for gap in gaps),
    ], key=lambda mark: mark[0])  # fmt: skip
    found: list[Told] = []
    last: str | None = None
    for at, name in marks:
        if name:
            last = name
        if at >= since:
            now_served = None if name is None else last
            found.append((max(at, window.start), ServedChanged(now_served)))
    return found
