"""Judges a cluster that stands for hours, piece by piece, as `promises` judges an act."""

from __future__ import annotations

from vipkeeper.core.facts import Fact, HostChanged
from vipkeeper.core.invariants.base import Violation
from vipkeeper.core.types import Instant
from vipkeeper.lab import promises, traces
from vipkeeper.lab.kernel import now
from vipkeeper.lab.measure import Window
from vipkeeper.lab.merging import Told
from vipkeeper.lab.promises import Judge
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.traces import TRACE, Growing


class Watch:
    """Begins with a healthy cluster and hears from its ledger until it ends."""

    def __init__(self, stage: Stage) -> None:
        self.start = self._from = now()
        cluster = stage.cluster
        marks = traces.marks(cluster)
        self.files = {
            name: Growing(server.directory / TRACE, marks[name])
            for name, server in cluster.servers.items()
        }
        self._judge = Judge()
        self._recorder = stage.recorder
        self._facts: list[Told] = []
        """Heard, and not judged yet."""
        cluster.ledger.listener = self._heard
        at_first = promises.before(cluster)
        self._strict = promises.strict(cluster)
        self._late = promises.lateness(stage.recorder)
        self._facts = [*promises.first(stage, at_first, self.start), *self._facts]

    def _heard(self, at: Instant, fact: Fact) -> None:
        self._facts.append((at, fact))

    def look(self, until: Instant) -> list[Violation]:
        """What was found broken since the last look; all that happened before an instant is written by now."""
        if until <= self._from:
            return []
        window, self._from = Window(self._from, until), until
        daemons = {name: file.lines(until) for name, file in self.files.items()}
        return self._judge.take(daemons, self._told(window), until)

    def _told(self, window: Window) -> list[Told]:
        since = window.start if window.start > self.start else 0
        seen = promises.addresses(self._recorder, window, strict=self._strict, since=since)
        seen += promises.served(self._recorder, window, since=since)
        heard = [one for one in self._facts if one[0] < window.end]
        self._facts = [one for one in self._facts if one[0] >= window.end]
        late = promises.lateness(self._recorder)
        hosts: list[Told] = []
        if late != self._late:
            hosts = [(window.start, HostChanged(name, late, False)) for name in self.files]
            self._late = late
        # Stretches are judged when a fact comes: the last one changes nothing.
        last = HostChanged(next(iter(self.files)), late, False)
        facts = [*heard, *hosts, *(one for one in seen if one[0] <= window.end)]
        found = [(max(window.start, min(at, window.end - 1)), fact) for at, fact in facts]
        found.sort(key=lambda one: one[0])
        return [*found, (window.end - 1, last)]
