"""The records of an NDJSON trace as the objects that predicates take (docs/trace.md).

A trace of several has a `writer` in each line; one of a single daemon names its server in its `Header`.
A daemon says its settings itself, in the record behind its header.
`local` is the server's own clock where the writer knows it; elsewhere all clocks are one (a lab in
namespaces of one host).
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from vipkeeper.core import actions, events, facts
from vipkeeper.core.actions import State
from vipkeeper.core.facts import Configured, DaemonChanged, DaemonState
from vipkeeper.core.invariants.checker import Checker
from vipkeeper.core.invariants.violation import Violation
from vipkeeper.core.trace import Header, TraceRecord, parse
from vipkeeper.core.types import MILLISECOND, SECOND, Instant, Settings

EVENTS: dict[str, Any] = {cls.__name__: cls for cls in typing.get_args(events.Event)}
ACTIONS: dict[str, Any] = {cls.__name__: cls for cls in typing.get_args(actions.Action)}
FACTS: dict[str, Any] = {cls.__name__: cls for cls in typing.get_args(facts.Fact)}


PATIENCE = SECOND
"""What bounds of liveness allow on top in a trace of a lab: a busy machine is late, and speed is measured elsewhere."""
REST = 150 * MILLISECOND
"""The quiet of a lab at rest: it waits for that itself, before the trace of an act begins."""
ASKS_EVERY = 15 * MILLISECOND
"""A server in doubt asks this often: one that wrote nothing for longer did not run meanwhile."""
IN_DOUBT = (State.SUSPECT, State.HOLDOFF, State.HELD)


class UnreadableError(ValueError):
    """A record of a known type whose fields are not what its type has."""


def build(kind: Any, value: Any) -> Any:
    """A value of this annotation from its JSON form.

    Raises:
        UnreadableError: it has another form.
    """
    if isinstance(kind, types.UnionType):
        return _union(kind, value)
    origin = typing.get_origin(kind)
    if origin is tuple:
        return _tuple(typing.get_args(kind), value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _object(kind, value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        if isinstance(value, str) and value in kind.__members__:
            return kind[value]
        raise UnreadableError(f"{value!r} is no {kind.__name__}")
    return _plain(kind, value)


def _plain(kind: Any, value: Any) -> Any:
    try:
        if kind in (IPv4Address, IPv6Address):
            return ip_address(value)
        if kind is bytes:
            return bytes.fromhex(value)
    except (ValueError, TypeError):
        raise UnreadableError(f"{value!r} is no {kind.__name__}") from None
    if kind in (int, str, bool) and type(value) is kind:
        return value
    raise UnreadableError(f"{value!r} is no {getattr(kind, '__name__', kind)}")


def _union(kind: types.UnionType, value: Any) -> Any:
    parts = [part for part in typing.get_args(kind) if part is not type(None)]
    if value is None and len(parts) < len(typing.get_args(kind)):
        return None
    return build(parts[0], value)


def _tuple(parts: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise UnreadableError(f"{value!r} is no list")
    if len(parts) == 2 and parts[1] is ...:
        return tuple(build(parts[0], entry) for entry in value)
    if len(parts) != len(value):
        raise UnreadableError(f"{value!r} has not {len(parts)} entries")
    return tuple(build(part, entry) for part, entry in zip(parts, value, strict=True))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _object(kind: type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise UnreadableError(f"{value!r} is no {kind.__name__}")
    hints = _hints(kind)
    found = {name: build(hint, value[name]) for name, hint in hints.items() if name in value}
    try:
        return kind(**found)
    except TypeError as error:
        raise UnreadableError(f"{kind.__name__}: {error}") from None


class Reader:
    """Feeds a checker from lines. `unread` counts lines that are no record of a known form."""

    def __init__(self, checker: Checker, settings: Iterable[Settings] = ()) -> None:
        """`settings`: of each server, where the trace has no `Configured` facts of its own."""
        self.checker = checker
        self.unread = 0
        self.last: Instant = 0
        self._server: str | None = None
        self._wrote: dict[str, Instant] = {}
        self._turn: tuple[Instant, Instant, str, Any, list[Any]] | None = None
        for one in settings:
            self._configured(0, one)

    def _configured(self, at: Instant, settings: Settings) -> None:
        name = settings.servers[settings.own].name
        self.checker.fact(at, Configured(name, settings))
        self.checker.fact(at, DaemonChanged(name, DaemonState.RUNNING))

    def take(self, text: str | bytes) -> None:
        """One line; an unreadable one is counted."""
        record = parse(text)
        if isinstance(record, TraceRecord):
            self.record(record)
        else:
            self.unread += 1

    def record(self, record: TraceRecord) -> None:
        """One record; one of a known type that has another form is counted."""
        try:
            self._record(record)
        except UnreadableError:
            self.unread += 1

    def _record(self, record: TraceRecord) -> None:
        self.last = max(self.last, record.at)
        if record.type == Header.__name__:
            self._flush()
            server = record.fields.get("server")
            self._server = server if isinstance(server, str) else None
        elif record.type in FACTS:
            self._flush()
            self._fact(record, build(FACTS[record.type], record.fields))
        elif record.type in EVENTS or record.type in ACTIONS:
            self._turns(record)

    def _fact(self, record: TraceRecord, fact: Any) -> None:
        if isinstance(fact, Configured) and fact.server == (record.writer or self._server):
            self._configured(record.at, fact.settings)
        elif not isinstance(fact, Configured) and self._unknown(fact):
            self.unread += 1
        else:
            self.checker.fact(record.at, fact)

    def _unknown(self, fact: Any) -> bool:
        """It is about a server that has no settings yet."""
        name = getattr(fact, "server", None)
        servers = self.checker.situation.servers
        return not servers or (name is not None and name not in servers)

    def _turns(self, record: TraceRecord) -> None:
        server = record.writer or self._server
        if server is None or server not in self.checker.situation.servers:
            self.unread += 1
            return
        if record.type in EVENTS:
            self._flush()
            if record.fields.get("local") is None:
                self._count_pause(server, record.at)
            event = build(EVENTS[record.type], record.fields)
            local = record.fields.get("local")
            clock = local if isinstance(local, int) else record.at
            self._turn = (record.at, clock, server, event, [])
        elif self._turn is not None and self._turn[2] == server:
            self._turn[4].append(build(ACTIONS[record.type], record.fields))
        else:
            self.unread += 1

    def _count_pause(self, name: str, at: Instant) -> None:
        """A server in doubt that wrote nothing was not running: nobody tells of a stall of a real one."""
        server = self.checker.situation.servers[name]
        pause = at - self._wrote.get(name, at) - ASKS_EVERY
        if server.state in IN_DOUBT and server.daemon is DaemonState.RUNNING and pause > 0:
            server.stalled += pause
        self._wrote[name] = at

    def _flush(self) -> None:
        """A turn is complete when the next record is none of its actions."""
        if self._turn is not None:
            turn, self._turn = self._turn, None
            self.checker.turn(*turn)

    def finish(self, at: Instant = 0) -> list[Violation]:
        """The end of the trace, at its last record or later; what was found."""
        self._flush()
        self.checker.finish(max(at, self.last))
        return self.checker.violations
