"""Events, actions and facts as NDJSON: one trace format for daemon, simulator and lab (docs/trace.md).

A line is `{"t": instant, "kind": class name, ...fields}`; every run begins with a `Header`. Enums are
written by name, addresses as text, bytes as hexadecimal, dataclasses as objects.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from vipkeeper.core.types import Instant

SCHEMA_VERSION = 1
"""Grows when a kind or field is renamed, removed or changes its meaning; not when one is added."""
MAX_LINE = 256 * 1024
"""Characters of the longest line that is read."""


@dataclass(frozen=True, slots=True)
class Header:
    """First record of every run in a trace."""

    server: str
    """Who writes: a server's name; in the lab and the simulator also another part of it."""
    tool: str
    """Version of vipkeeper."""
    schema: int = SCHEMA_VERSION
    clock: str = "boottime"
    """What `t` counts nanoseconds of."""


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One line, read back."""

    at: Instant
    kind: str
    fields: dict[str, Any]
    """As JSON has them."""
    writer: str | None = None
    """In a trace of several: who wrote this line."""


class TraceRejection(enum.Enum):
    """Why a line is no record."""

    TOO_LONG = "line too long"
    NOT_JSON = "not JSON"
    NOT_A_RECORD = "no object with t and kind"
    UNKNOWN_SCHEMA = "header of another schema version"


def line(at: Instant, item: Any, *, writer: str | None = None, **extra: object) -> str:
    """The line of one event, action, fact or header, in ASCII, without a newline.

    `writer` is for a trace to which several write; `extra` adds fields that the item does not have.

    Raises:
        TypeError: the item is no dataclass, or holds a value that JSON has no form for.
        ValueError: an extra field has the name of one that is there already.
    """
    record: dict[str, object] = {"t": at, "kind": type(item).__name__}
    if writer is not None:
        record["writer"] = writer
    for name in _field_names(type(item)):
        record[name] = _plain(getattr(item, name))
    if extra:
        if not record.keys().isdisjoint(extra):
            raise ValueError(f"{type(item).__name__} has one of the fields {', '.join(extra)}")
        record.update((name, _plain(value)) for name, value in extra.items())
    return _dump(record)


def parse(text: str | bytes) -> TraceRecord | TraceRejection:
    """Read a line back. Total; a kind that this version does not know is a record like any other."""
    if len(text) > MAX_LINE:
        return TraceRejection.TOO_LONG
    try:
        record = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return TraceRejection.NOT_JSON
    if not isinstance(record, dict):
        return TraceRejection.NOT_A_RECORD
    at, kind, writer = record.pop("t", None), record.pop("kind", None), record.pop("writer", None)
    if type(at) is not int or not isinstance(kind, str) or not isinstance(writer, str | None):
        return TraceRejection.NOT_A_RECORD
    if kind == Header.__name__ and record.get("schema") != SCHEMA_VERSION:
        return TraceRejection.UNKNOWN_SCHEMA
    return TraceRecord(at, kind, record, writer)


_dump = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


@functools.cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _plain(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (str, int, bool):
        return value
    if isinstance(value, enum.Enum):
        return value.name
    if kind is tuple or kind is list:
        return [_plain(entry) for entry in value]
    if isinstance(value, IPv4Address | IPv6Address):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if dataclasses.is_dataclass(value):
        return {name: _plain(getattr(value, name)) for name in _field_names(kind)}
    return value
