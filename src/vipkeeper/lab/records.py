"""What the lab's probes write down: fixed-size records over a pipe, one clock (CLOCK_BOOTTIME, ns)."""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_LAYOUT = struct.Struct("<BqI16s")
SIZE = _LAYOUT.size
TEXT_LIMIT = 16
"""Bytes of the text in a record."""


class Kind(enum.IntEnum):
    """What a record says."""

    UDP_SENT = 1
    """The client sent the datagram `number`; `text`: so many microseconds after it was due."""
    UDP_ANSWERED = 2
    """The answer to it arrived (kernel's time); `text` names the server."""
    TLS_STARTED = 3
    """The client began the connection `number`."""
    TLS_ANSWERED = 4
    """The first bytes of a ServerHello arrived on it."""
    TLS_FAILED = 5
    """It was refused, reset or given up."""
    ARP_ASKED = 6
    """The observer asked everybody who has the VIP."""
    ARP_ANSWERED = 7
    """An answer arrived (kernel's time); `text` is the MAC address."""
    ADDRESS_ADDED = 8
    """The kernel of the server `text` got the VIP, or had its lifetime renewed."""
    ADDRESS_REMOVED = 9
    """The VIP left the kernel of the server `text`."""
    LATE = 10
    """A probe woke up `number` microseconds late, more than ever before."""
    READY = 11
    """The probe `text` has begun its work; a sentinel: `number` is 1 where it has its priority, else 0."""
    HEARD = 12
    """The probe `text` has written down all it had to before this moment: changes of addresses, or lateness."""
    CORE_LATE = 13
    """A sentinel woke up `number` microseconds late: its core ran no program of the lab, of whatever priority."""


@dataclass(frozen=True, slots=True)
class Record:
    """One thing a probe saw."""

    kind: Kind
    at: int
    number: int = 0
    text: str = ""


def encode(record: Record) -> bytes:
    """The bytes of a record; a longer text is cut."""
    text = record.text.encode()[:TEXT_LIMIT]
    return _LAYOUT.pack(record.kind, record.at, record.number & 0xFFFFFFFF, text)


def decode(data: bytes) -> Iterator[Record]:
    """The records in `data`, whose length must be a multiple of `SIZE`.

    Raises:
        ValueError: bytes no probe of this version wrote.
    """
    if len(data) % SIZE:
        raise ValueError(f"{len(data)} bytes are no whole number of records")
    for kind, at, number, text in _LAYOUT.iter_unpack(data):
        yield Record(Kind(kind), at, number, text.rstrip(b"\0").decode(errors="replace"))
