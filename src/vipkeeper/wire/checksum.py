"""The internet checksum (RFC 1071) with the pseudo headers of IPv4 (RFC 793) and IPv6 (RFC 8200)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

from vipkeeper.wire.types import IPAddress


def checksum(data: bytes) -> int:
    """Ones' complement of the ones' complement sum of 16-bit words; odd length is padded with zero."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(source: IPAddress, destination: IPAddress, protocol: int, length: int) -> bytes:
    """What is summed in front of an upper-layer message (RFC 8200 section 8.1 for IPv6)."""
    addresses = source.packed + destination.packed
    if isinstance(source, IPv4Address):
        return addresses + struct.pack("!BBH", 0, protocol, length)
    return addresses + struct.pack("!I3xB", length, protocol)
