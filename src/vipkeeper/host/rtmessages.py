"""The form of what the kernel answers by rtnetlink: messages and their attributes (netlink(7)). Total."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_KIND = 0x3FFF
"""Without NLA_F_NESTED and NLA_F_NET_BYTEORDER."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message without its header."""

    kind: int
    flags: int
    body: bytes


def request(kind: int, flags: int, body: bytes, sequence: int) -> bytes:
    """One message to the kernel."""
    return HEADER.pack(HEADER.size + len(body), kind, flags, sequence, 0) + body


def messages(data: bytes) -> Iterator[Message]:
    """Each message of a datagram; what is cut off ends it."""
    at, end = 0, len(data)
    while end - at >= HEADER.size:
        length, kind, flags, *_ = HEADER.unpack_from(data, at)
        if not HEADER.size <= length <= end - at:
            return
        yield Message(kind, flags, data[at + HEADER.size : at + length])
        at += (length + 3) & ~3


def attributes(data: bytes) -> dict[int, bytes]:
    """Values by kind, the last of a kind; what is cut off ends it."""
    found: dict[int, bytes] = {}
    at, end = 0, len(data)
    while end - at >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if not _ATTRIBUTE.size <= length <= end - at:
            return found
        found[kind & _KIND] = data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def attribute(kind: int, value: bytes) -> bytes:
    """For a value whose length is a multiple of 4: no padding."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value
