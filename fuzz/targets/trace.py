"""Lines of a trace: any bytes or text give a record or a named rejection."""

from __future__ import annotations

from contextlib import suppress

from fuzz.documents import LONGEST, change
from fuzz.target import Target
from vipkeeper.core.trace import TraceRecord, TraceRejection, parse


def check(data: bytes) -> None:
    """Parse as bytes and as text."""
    _judge(parse(data))
    with suppress(UnicodeDecodeError):
        _judge(parse(data.decode()))


def _judge(found: TraceRecord | TraceRejection) -> None:
    if isinstance(found, TraceRejection):
        return
    assert type(found.at) is int
    assert not {"t", "type", "writer"} & found.fields.keys()


TARGET = Target("trace", check, longest=LONGEST, mutate=change)
