"""Ethernet II framing, as packet sockets of Linux give and take it: no VLAN tag, no checksum."""

from __future__ import annotations

import struct

MAC_LENGTH = 6
BROADCAST = b"\xff" * MAC_LENGTH
ETHERTYPE_IPV4, ETHERTYPE_ARP, ETHERTYPE_IPV6 = 0x0800, 0x0806, 0x86DD
ETHERTYPE_LOCAL = 0x88B5
"""IEEE 802 local experimental ethertype 1: for private use, no router forwards it."""
_HEADER = struct.Struct("!6s6sH")
HEADER_LENGTH = _HEADER.size


def frame(destination: bytes, source: bytes, ethertype: int, payload: bytes) -> bytes:
    """The frame; a short one is padded by the driver.

    Raises:
        ValueError: a hardware address is not 6 bytes.
    """
    if not len(destination) == len(source) == MAC_LENGTH:
        raise ValueError("a hardware address is not 6 bytes")
    return _HEADER.pack(destination, source, ethertype) + payload


def ethertype_of(data: bytes) -> int | None:
    """What a frame carries; None when it is too short to say."""
    if len(data) < HEADER_LENGTH:
        return None
    return int.from_bytes(data[12:HEADER_LENGTH], "big")
