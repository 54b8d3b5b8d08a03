"""One trace of several daemons and the lab, in order of time, piece by piece."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping

from vipkeeper import __version__
from vipkeeper.core.facts import Configured, DaemonChanged, DaemonState, Fact, HostChanged
from vipkeeper.core.trace import Header, line
from vipkeeper.core.types import MILLISECOND, Duration, Instant

LAB = "lab"
"""Who writes the facts."""
ENDS_AFTER: Duration = 100 * MILLISECOND
"""A daemon's process ends a moment after its `Exit`, and its kernel is heard a moment late; lateness comes on top."""
SILENT_INTERVALS = 5
"""Advert intervals after which a daemon that wrote nothing counts as stalled: it sends in each of them."""
AT = re.compile(rb'\{"t":(\d+),')
"""The beginning of a line of a trace: when, nanoseconds of the lab's clock."""
CONFIGURED = b'"type":"Configured"'
"""In the line with the settings of a daemon that has just been started."""
_EXIT = b'"type":"Exit"'

Told = tuple[Instant, Fact]


class Merging:
    """Adds to what was told what follows from the daemons' own lines: who has ended, who stands still."""

    def __init__(self) -> None:
        self._begun = False
        self._silence: dict[str, Duration] = {}
        self._late: dict[str, Duration] = {}
        self._runs: set[str] = set()
        self._silent: set[str] = set()
        self._due: dict[str, tuple[Instant, DaemonState]] = {}
        """What a daemon will be, and when, unless it writes before."""

    def piece(
        self, daemons: Mapping[str, Iterable[bytes]], facts: Iterable[Told], until: Instant
    ) -> Iterator[bytes]:
        """What happened before an instant, behind the pieces before, as lines without newlines.

        `daemons`: by server; `facts`: in order of time. What of them is not older is dropped.
        """
        told: Iterator[tuple[Instant, str, bytes | Fact]] = ((at, LAB, fact) for at, fact in facts)
        streams = [told, *(_lines(name, lines) for name, lines in daemons.items())]
        for at, name, what in heapq.merge(*streams, key=lambda one: one[0]):
            if not self._begun:
                yield line(at, Header(LAB, __version__), writer=LAB).encode()
                self._begun = True
            if at >= until:
                break
            yield from self._concluded(at)
            if isinstance(what, bytes):
                yield from self._line(at, name, what)
            else:
                self._fact(at, what)
                yield line(at, what, writer=LAB).encode()
        yield from self._concluded(until)

    def _concluded(self, until: Instant) -> Iterator[bytes]:
        due = sorted((at, name) for name, (at, _) in self._due.items() if at < until)
        for at, name in due:
            yield self._conclude(at, name)

    def _conclude(self, at: Instant, name: str) -> bytes:
        _, state = self._due.pop(name)
        self._runs.discard(name)
        if state is DaemonState.STALLED:
            self._silent.add(name)
        return _changed(at, name, state)

    def _line(self, at: Instant, name: str, text: bytes) -> Iterator[bytes]:
        if name in self._due and self._due[name][1] is DaemonState.STOPPED:
            yield self._conclude(at, name)
        if name in self._silent:
            self._silent.discard(name)
            self._runs.add(name)
            yield _changed(at, name, DaemonState.RUNNING)
        if CONFIGURED in text:
            self._runs.add(name)
        yield f'{{"writer":"{name}",'.encode() + text[1:].rstrip()
        if _EXIT in text:
            late = self._late.get(name, 0)
            self._due[name] = (at + ENDS_AFTER + late, DaemonState.STOPPED)
        elif name in self._runs:
            self._expect(at, name)

    def _fact(self, at: Instant, fact: Fact) -> None:
        if isinstance(fact, Configured):
            interval = fact.settings.advert_interval
            self._silence[fact.server] = SILENT_INTERVALS * interval
        elif isinstance(fact, HostChanged):
            self._late[fact.server] = fact.late
        elif isinstance(fact, DaemonChanged):
            self._silent.discard(fact.server)
            self._runs.discard(fact.server)
            self._due.pop(fact.server, None)
            if fact.state is DaemonState.RUNNING:
                self._runs.add(fact.server)
                self._expect(at, fact.server)

    def _expect(self, at: Instant, name: str) -> None:
        """It writes again soon."""
        if name in self._silence:
            self._due[name] = (at + self._silence[name], DaemonState.STALLED)


def _lines(name: str, lines: Iterable[bytes]) -> Iterator[tuple[Instant, str, bytes | Fact]]:
    for text in lines:
        found = AT.match(text)
        if found is not None:
            yield int(found[1]), name, text


def _changed(at: Instant, name: str, state: DaemonState) -> bytes:
    return line(at, DaemonChanged(name, state), writer=LAB).encode()
