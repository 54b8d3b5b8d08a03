"""Whether daemons of the lab kept the promises of the protocol: their traces and the lab's facts as one
trace, judged by the predicates of `core.invariants` (docs/trace.md, "The lab").
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vipkeeper import __version__
from vipkeeper.core.actions import State
from vipkeeper.core.facts import (
    AnswersChanged,
    DaemonChanged,
    DaemonState,
    Fact,
    HostChanged,
    PowerChanged,
    ServedChanged,
    StateKnown,
    VipChanged,
)
from vipkeeper.core.invariants.checker import Checker
from vipkeeper.core.invariants.reading import PATIENCE, REST, Reader
from vipkeeper.core.invariants.violation import Violation
from vipkeeper.core.trace import Header, line
from vipkeeper.core.types import MILLISECOND, Duration, Instant
from vipkeeper.lab import measure, traces
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.measure import Window
from vipkeeper.lab.recorder import Recorder
from vipkeeper.lab.stage import Figures, Stage
from vipkeeper.report.run import Expectation

LAB = "lab"
"""Who writes the facts."""
KEPT = "every promise of the protocol was kept"
UNSERVED: Duration = 100 * MILLISECOND
"""A client that waits longer than this is not served: less is a datagram or two."""
LEAST_LATE: Duration = 20 * MILLISECOND
MOST_LATE: Duration = 250 * MILLISECOND
"""Limits of the lateness that safety bounds allow; between them it is that of the probes."""
ENDS_AFTER: Duration = 100 * MILLISECOND
"""A daemon's process ends a moment after its `Exit`, and its kernel is heard a moment late."""
SHOWN = 3
"""Violations named in a verdict."""
_AT = re.compile(rb'\{"t":(\d+),')
_EXIT = b'"type":"Exit"'

Told = tuple[Instant, Fact]


@dataclass(frozen=True, slots=True)
class Before:
    """What was so when an act began."""

    states: Mapping[str, State]
    powered: frozenset[str]
    running: frozenset[str]


def before(cluster: Cluster) -> Before:
    """Ask just before the act begins."""
    cluster.ledger.begin()
    servers = cluster.servers.values()
    known = traces.known(cluster)
    cluster.ledger.configured |= {n: k.configured for n, k in known.items() if k.configured}
    return Before(
        {name: one.state for name, one in known.items()},
        frozenset(server.name for server in servers if server.powered),
        frozenset(s.name for s in servers if s.daemon is not None and s.daemon.running),
    )


def judge(
    daemons: Mapping[str, Iterable[bytes]], facts: Iterable[Told], *, until: Instant
) -> list[Violation]:
    """What was broken in one act.

    `daemons`: the lines of each server's trace; `facts`: in order of time, the `Configured` of every server
    first. Both are read once, line by line.
    """
    reader = Reader(Checker(patience=PATIENCE, rest=REST))
    for text in merged(daemons, facts, until=until):
        reader.take(text)
    return reader.finish(until) if reader.checker.situation.servers else []


def merged(
    daemons: Mapping[str, Iterable[bytes]], facts: Iterable[Told], *, until: Instant
) -> Iterator[bytes]:
    """One trace of daemons and lab, in order of time, as lines without newlines."""
    first = True
    told = ((at, line(at, fact, writer=LAB).encode()) for at, fact in facts)
    streams = [told, *(_lines(name, lines) for name, lines in daemons.items())]
    for at, text in heapq.merge(*streams, key=lambda one: one[0]):
        if first:
            yield line(at, Header(LAB, __version__), writer=LAB).encode()
            first = False
        if at >= until:
            return
        yield text


def _lines(name: str, lines: Iterable[bytes]) -> Iterator[tuple[Instant, bytes]]:
    """The lines of one daemon, by time, its name in each, and the end of its process behind its `Exit`."""
    lead = f'{{"writer":"{name}",'.encode()
    ended: Instant | None = None
    for text in lines:
        found = _AT.match(text)
        if found is None:
            continue
        at = int(found[1])
        if ended is not None:
            yield min(ended, at), line(min(ended, at), _stopped(name), writer=LAB).encode()
            ended = None
        yield at, lead + text[1:].rstrip()
        if _EXIT in text:
            ended = at + ENDS_AFTER
    if ended is not None:
        yield ended, line(ended, _stopped(name), writer=LAB).encode()


def _stopped(name: str) -> DaemonChanged:
    return DaemonChanged(name, DaemonState.STOPPED)


def expectations(
    stage: Stage, figures: Figures, written: Mapping[str, int], at_first: Before
) -> list[Expectation]:
    """The verdict of an act; none where the daemons write no trace."""
    if not stage.manager.traced:
        return []
    facts = told(stage, figures, at_first)
    if not facts:
        return [Expectation(KEPT, False, "not judged: a trace does not say its writer's settings")]
    daemons = traces.lines(stage.cluster, written, figures.window)
    broken = judge(daemons, facts, until=figures.window.end)
    names = [f"{one.invariant}: {one.text}" for one in broken[:SHOWN]]
    if len(broken) > SHOWN:
        names.append(f"{len(broken) - SHOWN} more")
    return [Expectation(KEPT, not broken, "; ".join(names) or "none broken")]


def whole(stage: Stage, figures: Figures, written: Mapping[str, int], at_first: Before) -> str:
    """The trace of an act, for `vipkeeper report`."""
    daemons = traces.lines(stage.cluster, written, figures.window)
    facts = told(stage, figures, at_first)
    every = merged(daemons, facts, until=figures.window.end)
    return "".join(f"{text.decode('ascii')}\n" for text in every)


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
    facts: list[Told] = [(start, fact) for fact in configured.values()]
    strict = any(fact.settings.strict_lease is not None for fact in configured.values())
    late = max(LEAST_LATE, min(MOST_LATE, stage.recorder.worst_lateness_us * 1000))
    for name in cluster.servers:
        runs = name in at_first.running
        state = at_first.states.get(name, State.STOPPED) if runs else State.STOPPED
        daemon = DaemonState.RUNNING if runs else DaemonState.STOPPED
        facts += [
            (start, PowerChanged(name, name in at_first.powered)),
            (start, DaemonChanged(name, daemon)),
            (start, HostChanged(name, late, False)),
            (start, StateKnown(name, state)),
        ]
    facts += _addresses(stage.recorder, window, strict=strict)
    facts += _served(stage.recorder, window)
    facts += [(max(at, start), fact) for at, fact in cluster.ledger.told]
    facts.sort(key=lambda one: one[0])
    return facts


def _addresses(recorder: Recorder, window: Window, *, strict: bool) -> list[Told]:
    """Whose kernel has the VIP. It answers then, unless a strict lease silences it: that the wire shows."""
    found: list[Told] = []
    for change in recorder.changes():
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


def _served(recorder: Recorder, window: Window) -> Sequence[Told]:
    """Who answers the client; nobody while it waits."""
    gaps = [gap for gap in measure.gaps(recorder.udp, window) if gap.length > UNSERVED]
    marks = sorted([
        *((gap.start, None) for gap in gaps),
        *((max(at, window.start), name) for at, name in recorder.served),
        *((gap.end, "") for gap in gaps),
    ], key=lambda mark: mark[0])  # fmt: skip
    found: list[Told] = []
    last: str | None = None
    for at, name in marks:
        if name:
            last = name
        found.append((at, ServedChanged(None if name is None else last)))
    return found
