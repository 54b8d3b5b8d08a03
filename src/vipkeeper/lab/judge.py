"""The predicates of `core.invariants` over the daemons' own traces, together with what the kernels had.

Only those that need no more of the world than that: what daemons decided, whose kernel had the VIP, when a
daemon wrote nothing, and whether something was broken. The rest the recorder judges, from outside.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

from vipkeeper.core.events import Started
from vipkeeper.core.facts import (
    CLIENT,
    GATEWAY,
    AnswersChanged,
    Configured,
    DaemonChanged,
    DaemonState,
    Fact,
    HostChanged,
    VipChanged,
    WireChanged,
)
from vipkeeper.core.invariants.base import Invariant
from vipkeeper.core.invariants.checker import Checker
from vipkeeper.core.invariants.election import (
    Deafness,
    FreshHolder,
    NamedSuccessor,
    Preemption,
    SuccessorHears,
)
from vipkeeper.core.invariants.moves import MoveBudget
from vipkeeper.core.invariants.reading import ACTIONS, EVENTS, UnreadableError, build
from vipkeeper.core.invariants.robust import Robust
from vipkeeper.core.invariants.safety import (
    AnswersOnlyAsHolder,
    LeftBehind,
    RenewedInTime,
    TwoOnOneDirection,
    TwoOnWorkingWires,
)
from vipkeeper.core.invariants.violation import Violation
from vipkeeper.core.trace import TraceRecord, parse
from vipkeeper.core.types import MILLISECOND, Instant, Settings
from vipkeeper.lab.kernel import free_beginning
from vipkeeper.lab.measure import Change

PROMISES: tuple[type[Invariant], ...] = (
    TwoOnWorkingWires,
    TwoOnOneDirection,
    LeftBehind,
    AnswersOnlyAsHolder,
    RenewedInTime,
    FreshHolder,
    Deafness,
    MoveBudget,
    Preemption,
    NamedSuccessor,
    SuccessorHears,
    Robust,
)
LATE = 200 * MILLISECOND
"""By how much timers and kernels of a busy machine may be late here; how fast they are the bench says."""
SILENT_INTERVALS = 5
"""Advert intervals after which a daemon that wrote nothing counts as stalled: it sends in each of them."""
KEPT = 4 << 20
"""Bytes of each trace that stay readable behind what was judged."""


class Order(enum.IntEnum):
    """What comes first of what happened at one instant."""

    FACT = 0
    TURN = 1


@dataclass(slots=True)
class _Turn:
    """An event and what the node did about it."""

    at: Instant
    event: Any
    actions: list[Any]


class TraceFile:
    """One daemon's trace as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unread = 0
        """Lines that are no record of a known form."""
        self._offset = 0
        self._rest = b""
        self._later: list[_Turn] = []
        """Read, and not judged yet."""

    def turns(self, until: Instant) -> list[_Turn]:
        """What happened before an instant, written by now, and was not given yet."""
        found = self._later
        for line in self._lines():
            record = parse(line)
            if not isinstance(record, TraceRecord):
                self.unread += 1
                continue
            try:
                self._add(record, found)
            except UnreadableError:
                self.unread += 1
        self._later = [turn for turn in found if turn.at >= until]
        return [turn for turn in found if turn.at < until]

    def _add(self, record: TraceRecord, found: list[_Turn]) -> None:
        if record.type in EVENTS:
            found.append(_Turn(record.at, build(EVENTS[record.type], record.fields), []))
        elif record.type in ACTIONS and found:
            found[-1].actions.append(build(ACTIONS[record.type], record.fields))

    def _lines(self) -> list[bytes]:
        if not self.path.exists():
            return []
        with self.path.open("r+b") as file:
            file.seek(self._offset)
            data = self._rest + file.read()
            self._offset = file.tell()
            if self._offset > KEPT:
                free_beginning(file.fileno(), self._offset - KEPT)
        *lines, self._rest = data.split(b"\n")
        return lines

    def tail(self) -> str:
        """What is still readable, whole lines only."""
        if not self.path.exists():
            return ""
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - KEPT))
            text = file.read().decode("ascii", errors="replace")
        return text if size <= KEPT else text.partition("\n")[2]


class Judge:
    """Reads the traces of one cluster as they grow and keeps what was broken."""

    def __init__(self, settings: Sequence[Settings], files: dict[str, TraceFile]) -> None:
        """`files`: by the server's name."""
        self.files = files
        self._checker = Checker(PROMISES)
        self._silence = SILENT_INTERVALS * settings[0].advert_interval
        self._last: dict[str, Instant] = {}
        self._stalled: set[str] = set()
        self._told = 0
        for one in settings:
            name = one.servers[one.own].name
            self._checker.fact(0, Configured(name, one))
            self._checker.fact(0, HostChanged(name, LATE, refuses=False))

    def look(
        self, changes: Iterable[Change], disturbed: Iterable[tuple[Instant, bool]], until: Instant
    ) -> list[Violation]:
        """Judge what came since the last look.

        `changes`: of the VIP in the kernels since then; `disturbed`: from when on something was broken, or
        nothing any more; `until`: all of it is older.
        """
        happened: list[tuple[Instant, Order, Any]] = []
        for name, file in self.files.items():
            for turn in file.turns(until):
                happened += self._silent(name, turn)
                happened.append((turn.at, Order.TURN, (name, turn)))
                self._last[name] = turn.at
            happened += self._still_silent(name, until)
        for change in changes:
            facts = (
                VipChanged(change.server, change.held),
                AnswersChanged(change.server, change.held),
            )
            happened += [(change.at, Order.FACT, fact) for fact in facts]
        for at, broken in disturbed:
            happened += [(at, Order.FACT, fact) for fact in self._wires(broken)]
        self._feed(happened, until)
        found = self._checker.violations[self._told :]
        self._told += len(found)
        return found

    def _feed(self, happened: list[tuple[Instant, Order, Any]], until: Instant) -> None:
        for at, order, what in sorted(happened, key=lambda one: one[:2]):
            if order is Order.FACT:
                self._checker.fact(at, what)
            else:
                name, turn = what
                self._checker.turn(at, at, name, turn.event, turn.actions)
        # Stretches are judged when a fact comes: this one changes nothing.
        self._checker.fact(until, HostChanged(next(iter(self.files)), LATE, refuses=False))

    def _silent(self, name: str, turn: _Turn) -> list[tuple[Instant, Order, Fact]]:
        """A daemon that wrote nothing for long did not run meanwhile."""
        found: list[tuple[Instant, Order, Fact]] = []
        last = self._last.get(name, turn.at)
        if name not in self._stalled and turn.at - last > self._silence:
            stalled = DaemonChanged(name, DaemonState.STALLED)
            found.append((last + self._silence, Order.FACT, stalled))
            self._stalled.add(name)
        if name in self._stalled or name not in self._last or isinstance(turn.event, Started):
            self._stalled.discard(name)
            found.append((turn.at, Order.FACT, DaemonChanged(name, DaemonState.RUNNING)))
        return found

    def _still_silent(self, name: str, until: Instant) -> list[tuple[Instant, Order, Fact]]:
        last = self._last.get(name)
        if last is None or name in self._stalled or until - last <= self._silence:
            return []
        self._stalled.add(name)
        return [(last + self._silence, Order.FACT, DaemonChanged(name, DaemonState.STALLED))]

    def _wires(self, broken: bool) -> list[Fact]:
        ends = permutations((*self.files, GATEWAY, CLIENT), 2)
        return [WireChanged(one, other, 0, 0, bursts=broken) for one, other in ends]
