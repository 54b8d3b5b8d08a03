"""Judges a cluster that stands for hours, piece by piece, as `promises` judges an act."""

from __future__ import annotations

from dataclasses import dataclass, field

from vipkeeper import __version__
from vipkeeper.core.facts import (
    AnswersChanged,
    ApiChanged,
    Configured,
    DaemonChanged,
    DisturberChanged,
    Fact,
    HostChanged,
    PowerChanged,
    ServedChanged,
    StateKnown,
    VipChanged,
    WireChanged,
)
from vipkeeper.core.invariants.situation import Situation
from vipkeeper.core.invariants.violation import Violation
from vipkeeper.core.trace import Header, line
from vipkeeper.core.types import Instant
from vipkeeper.lab import promises, traces
from vipkeeper.lab.kernel import now
from vipkeeper.lab.measure import Window
from vipkeeper.lab.merging import LAB, Told
from vipkeeper.lab.promises import Judge
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.traces import READABLE, TRACE, Growing

PUMPED = 1000
"""Lines that are judged before the probes are listened to again: a pipe that is full would make them late."""
WHOLE = "lab"
"""Name of the trace of all daemons and the lab, among those of the servers."""


@dataclass(slots=True)
class _Piece:
    """What was judged at once."""

    before: list[str]
    """Facts that tell what was so when it began."""
    lines: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, text: bytes) -> None:
        """One more line."""
        self.lines.append(text)
        self.size += len(text)


class Watch:
    """Begins with a healthy cluster and hears from its ledger until it ends."""

    def __init__(self, stage: Stage) -> None:
        self.start = self._from = now()
        cluster = stage.cluster
        marks = traces.marks(cluster)
        self._files = {
            name: Growing(server.directory / TRACE, marks[name])
            for name, server in cluster.servers.items()
        }
        self._pieces: list[_Piece] = []
        self._judge = Judge(self._keep)
        self._recorder = stage.recorder
        self._facts: list[Told] = []
        """Heard, and not judged yet."""
        cluster.ledger.listener = self._heard
        cluster.ledger.begin()
        at_first = promises.before(cluster)
        self._strict = promises.strict(cluster)
        begin = Window(self.start, now())
        self._late = promises.lateness(stage.recorder, begin)
        self._facts = [*promises.first(stage, at_first, begin), *self._facts]

    def _keep(self, text: bytes) -> None:
        piece = self._pieces[-1]
        piece.add(text)
        if len(piece.lines) % PUMPED == 0:
            self._recorder.pump()

    def _heard(self, at: Instant, fact: Fact) -> None:
        self._facts.append((at, fact))

    def look(self, until: Instant) -> list[Violation]:
        """What was found broken since the last look; all that happened before an instant is written by now."""
        if until <= self._from:
            return []
        window, self._from = Window(self._from, until), until
        self._pieces.append(_Piece(as_it_is(self._judge.situation, window.start)))
        while len(self._pieces) > 2 and sum(piece.size for piece in self._pieces) > READABLE:
            del self._pieces[0]
        daemons = {name: file.lines(until) for name, file in self._files.items()}
        return self._judge.take(daemons, self._told(window), until)

    def traces(self) -> dict[str, str]:
        """The last of what was written: by each server's daemon, and all of it with the lab's facts."""
        found = {name: file.tail() for name, file in self._files.items()}
        texts = [*self._pieces[0].before] if self._pieces else []
        texts += [text.decode("ascii") for piece in self._pieces for text in piece.lines]
        return found | {WHOLE: "".join(f"{text}\n" for text in texts)}

    def _told(self, window: Window) -> list[Told]:
        since = window.start if window.start > self.start else 0
        seen = promises.addresses(self._recorder, window, strict=self._strict, since=since)
        seen += promises.served(self._recorder, window, since=since)
        heard = [one for one in self._facts if one[0] < window.end]
        self._facts = [one for one in self._facts if one[0] >= window.end]
        late = promises.lateness(self._recorder, window)
        hosts: list[Told] = []
        if late != self._late:
            hosts = [(window.start, HostChanged(name, late, False)) for name in self._files]
            self._late = late
        # Stretches are judged when a fact comes: the last one changes nothing.
        last = HostChanged(next(iter(self._files)), late, False)
        facts = [*heard, *hosts, *(one for one in seen if one[0] <= window.end)]
        found = [(max(window.start, min(at, window.end - 1)), fact) for at, fact in facts]
        found.sort(key=lambda one: one[0])
        return [*found, (window.end - 1, last)]


def as_it_is(situation: Situation, at: Instant) -> list[str]:
    """The beginning of a trace that goes on from here: what is so of every server, wire and client."""
    facts: list[Fact] = []
    for name, one in situation.servers.items():
        facts += [
            Configured(name, one.settings),
            PowerChanged(name, one.power),
            DaemonChanged(name, one.daemon),
            HostChanged(name, one.late, one.refuses),
            ApiChanged(name, one.api),
            StateKnown(name, one.state),
            VipChanged(name, one.vip),
            AnswersChanged(name, one.answers),
        ]
    if not facts:
        return []
    for wire in (wire for wire in situation.lost if not situation.is_clear(*wire)):
        lost, delay = situation.lost[wire], situation.delay[wire]
        facts.append(WireChanged(*wire, lost, delay, situation.bursts[wire]))
    facts += [DisturberChanged(*which, True) for which, on in situation.disturbers.items() if on]
    facts.append(ServedChanged(situation.served))
    header = line(at, Header(LAB, __version__), writer=LAB)
    return [header, *(line(at, fact, writer=LAB) for fact in facts)]
