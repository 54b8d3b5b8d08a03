"""Events and actions as NDJSON: one trace format for daemon, simulator and lab (docs/trace.md).

A line is `{"t": instant, "kind": class name, ...fields}`; the first line of a file is a header with
kind `Header`. Enums are written by name, addresses as text, bytes as hexadecimal.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from vipkeeper.core.types import Instant

SCHEMA_VERSION = 1
MAX_LINE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Header:
    """First record of a trace."""

    server: str
    tool: str
    schema: int = SCHEMA_VERSION
    clock: str = "boottime"


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One line, read back."""

    at: Instant
    kind: str
    fields: dict[str, Any]


class TraceRejection(enum.Enum):
    """Why a line is no record."""

    TOO_LONG = "line too long"
    NOT_JSON = "not JSON"
    NOT_A_RECORD = "no object with t and kind"


def line(at: Instant, item: Any) -> str:
    """The line of one event, action or header, without a newline."""
    return json.dumps({"t": at, "kind": type(item).__name__, **_fields(item)}, separators=(",", ":"))


def parse(text: str) -> TraceRecord | TraceRejection:
    """Read a line back. Total."""
    if len(text) > MAX_LINE:
        return TraceRejection.TOO_LONG
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return TraceRejection.NOT_JSON
    if not isinstance(document, dict):
        return TraceRejection.NOT_A_RECORD
    at, kind = document.pop("t", None), document.pop("kind", None)
    if not isinstance(at, int) or isinstance(at, bool) or not isinstance(kind, str):
        return TraceRejection.NOT_A_RECORD
    return TraceRecord(at, kind, document)


def _fields(item: Any) -> dict[str, Any]:
    return {name: _plain(getattr(item, name)) for name in item.__dataclass_fields__}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (IPv4Address, IPv6Address)):
        return str(value)
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    if dataclasses.is_dataclass(value):
        return _fields(value)
    return str(value)
