"""What the daemons of a cluster wrote down during an act: their traces, all of one kernel's clock."""

from __future__ import annotations

import itertools
import mmap
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vipkeeper.core.actions import State
from vipkeeper.core.facts import Configured
from vipkeeper.core.invariants.reading import UnreadableError, build
from vipkeeper.core.trace import TraceRecord, parse
from vipkeeper.core.types import Instant, Settings
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.kernel import free_beginning
from vipkeeper.lab.measure import Window
from vipkeeper.lab.merging import AT, CONFIGURED

TRACE = "trace.ndjson"
"""Name of a daemon's trace in its server's directory."""
READABLE = 4 << 20
"""Bytes of a growing trace that stay readable behind what was read."""
WANTED = {"Header", "Transition", "AddressesDone", "Announce"}
"""Types of record that pictures need; adverts are most of a trace."""


def marks(cluster: Cluster) -> dict[str, int]:
    """How long each trace is now, so that an act reads only what is its own."""
    return {name: _size(server.directory / TRACE) for name, server in cluster.servers.items()}


def read(cluster: Cluster, since: dict[str, int], window: Window) -> dict[str, list[TraceRecord]]:
    """The records of each server that lie in the window; a server without a trace has none."""
    return {
        name: _records(server.directory / TRACE, since.get(name, 0), window)
        for name, server in cluster.servers.items()
    }


@dataclass(frozen=True, slots=True)
class Known:
    """What the end of a trace says of its writer."""

    state: State = State.STOPPED
    configured: Configured | None = None


BEGINNING: Mapping[str, int] = {}
"""For `lines`: no trace has been read yet."""


def known(cluster: Cluster) -> dict[str, Known]:
    """The newest state and settings of each server, however long its trace is."""
    return {name: _known(server.directory / TRACE) for name, server in cluster.servers.items()}


def lines(cluster: Cluster, since: Mapping[str, int], window: Window) -> dict[str, Iterator[bytes]]:
    """The lines of each server from a mark on, not before the window, read one by one; complete ones only."""
    return {
        name: _lines(server.directory / TRACE, since.get(name, 0), window.start)
        for name, server in cluster.servers.items()
    }


def longest_silence(cluster: Cluster, server: str, window: Window) -> int:
    """The longest stretch of a window, nanoseconds, in which a daemon wrote nothing: it did nothing."""
    found = (_time(text) for text in lines(cluster, BEGINNING, window)[server])
    marks = [window.start, *sorted(at for at in found if at in window), window.end]
    return max(after - before for before, after in itertools.pairwise(marks))


def said(cluster: Cluster, server: str, window: Window, words: bytes) -> int:
    """How many records that a daemon wrote in a window have these words in them."""
    found = (text for text in lines(cluster, BEGINNING, window)[server] if words in text)
    return sum(_time(text) in window for text in found)


class Growing:
    """One daemon's trace as it grows. What was read is given back to the file system."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        """`offset`: where to begin."""
        self.path = path
        self._offset = offset
        self._rest = b""
        self._later: list[bytes] = []
        """Read, and not given yet."""

    def lines(self, until: Instant) -> list[bytes]:
        """What happened before an instant, is written by now, and was not given yet; whole lines only."""
        found = [*self._later, *self._new()]
        early = [text for text in found if _time(text) < until]
        self._later = [text for text in found if _time(text) >= until]
        return early

    def _new(self) -> list[bytes]:
        if not self.path.exists():
            return []
        with self.path.open("r+b") as file:
            file.seek(self._offset)
            data = self._rest + file.read()
            self._offset = file.tell()
            if self._offset > READABLE:
                free_beginning(file.fileno(), self._offset - READABLE)
        *whole, self._rest = data.split(b"\n")
        return whole

    def tail(self) -> str:
        """What is still readable, whole lines only."""
        if not self.path.exists():
            return ""
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - READABLE))
            text = file.read().decode("ascii", errors="replace")
        return text if size <= READABLE else text.partition("\n")[2]


def first_settings(found: Iterable[bytes]) -> Configured | None:
    """The first settings that a daemon says in these lines."""
    for text in found:
        if CONFIGURED in text:
            return _configured(text)
    return None


def _lines(path: Path, offset: int, start: int) -> Iterator[bytes]:
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(offset)
        for text in file:
            at = AT.match(text)
            if at is not None and int(at[1]) >= start and text.endswith(b"\n"):
                yield text


def _known(path: Path) -> Known:
    if not _size(path):
        return Known()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        told = _last(text, b'"type":"Transition"')
        settings = _last(text, CONFIGURED), _last(text, b'"type":"Reconfigured"')
    record = parse(told) if told is not None else None
    after = record.fields.get("after") if isinstance(record, TraceRecord) else None
    state = State[after] if isinstance(after, str) and after in State.__members__ else State.STOPPED
    return Known(state, _newest(*settings))


def _newest(first: bytes | None, later: bytes | None) -> Configured | None:
    """The settings of the newest run, or newer ones that it was given."""
    configured = _configured(first) if first is not None else None
    if first is None or configured is None or later is None or _time(later) < _time(first):
        return configured
    record = parse(later)
    if not isinstance(record, TraceRecord):
        return configured
    try:
        return Configured(configured.server, build(Settings, record.fields.get("settings")))
    except UnreadableError:
        return configured


def _time(text: bytes) -> int:
    found = AT.match(text)
    return int(found[1]) if found is not None else 0


def _last(text: mmap.mmap, what: bytes) -> bytes | None:
    """The last line that has this in it."""
    at = text.rfind(what)
    if at < 0:
        return None
    end = text.find(b"\n", at)
    return text[text.rfind(b"\n", 0, at) + 1 : end if end >= 0 else len(text)]


def _configured(text: bytes) -> Configured | None:
    record = parse(text)
    if not isinstance(record, TraceRecord):
        return None
    try:
        found = build(Configured, record.fields)
    except UnreadableError:
        return None
    return found if isinstance(found, Configured) else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _records(path: Path, offset: int, window: Window) -> list[TraceRecord]:
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(offset)
        found = (parse(line) for line in file if any(name in line for name in _BYTES))
        return [
            record
            for record in found
            if isinstance(record, TraceRecord) and record.type in WANTED and record.at in window
        ]


_BYTES = [f'"type":"{name}"'.encode() for name in WANTED]
