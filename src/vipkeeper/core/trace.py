"""Events, actions and facts as NDJSON: one trace format for daemon, simulator and lab (docs/trace.md).

A line is `{"t": instant, "type": class name, ...fields}`; every run begins with a `Header`. Enums are
written by name, addresses as text, bytes as hexadecimal, dataclasses as objects.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from vipkeeper.core.types import Instant

SCHEMA_VERSION = 1
"""Grows when a type of record or a field is renamed, removed or changes its meaning; not when one is added."""
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
    type: str
    """Class name of the event, action or fact."""
    fields: dict[str, Any]
    """As JSON has them."""
    writer: str | None = None
    """In a trace of several: who wrote this line."""


class TraceRejection(enum.Enum):
    """Why a line is no record."""

    TOO_LONG = "line too long"
    NOT_JSON = "not JSON"
    NOT_A_RECORD = "no object with t and type"
    UNKNOWN_SCHEMA = "header of another schema version"


def line(at: Instant, item: Any, *, writer: str | None = None, **extra: object) -> str:
    """The line of one event, action, fact or header, in ASCII, without a newline.

    `writer` is for a trace to which several write; `extra` adds fields that the item does not have.

    Raises:
        TypeError: the item is no dataclass, or holds a value that a trace has no form for.
        ValueError: a field has the name of one that is there already, or a number is not finite.
    """
    if not dataclasses.is_dataclass(item):
        raise TypeError(f"{type(item).__name__} is no dataclass")
    record = {"t": at, "type": type(item).__name__}
    if writer is not None:
        record["writer"] = writer
    _add(record, _fields(item))
    if extra:
        _add(record, {name: _plain(value) for name, value in extra.items()})
    return _dump(record)


def parse(text: str | bytes) -> TraceRecord | TraceRejection:
    """Read a line back. Total; a type that this version does not know is a record like any other."""
    if len(text) > MAX_LINE:
        return TraceRejection.TOO_LONG
    try:
        record = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return TraceRejection.NOT_JSON
    if not isinstance(record, dict):
        return TraceRejection.NOT_A_RECORD
    at, name, writer = record.pop("t", None), record.pop("type", None), record.pop("writer", None)
    if type(at) is not int or not isinstance(name, str) or not isinstance(writer, str | None):
        return TraceRejection.NOT_A_RECORD
    if name == Header.__name__ and record.get("schema") != SCHEMA_VERSION:
        return TraceRejection.UNKNOWN_SCHEMA
    return TraceRecord(at, name, record, writer)


_dump = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def _add(record: dict[str, Any], fields: dict[str, Any]) -> None:
    if not record.keys().isdisjoint(fields):
        raise ValueError(f"{record['type']}: a field name is taken: {', '.join(fields)}")
    record |= fields


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _plain(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (str, int, bool, float):
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
        return _fields(value)
    raise TypeError(f"a trace has no form for {kind.__name__}")


def _fields(item: Any) -> dict[str, Any]:
    """By the names the class already carries; dataclasses.asdict would copy deeply for nothing."""
    return {name: _plain(getattr(item, name)) for name in item.__dataclass_fields__}
