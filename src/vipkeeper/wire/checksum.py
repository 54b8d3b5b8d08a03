"""The internet checksum (RFC 1071) and the pseudo headers of IPv4 (RFC 9293) and IPv6 (RFC 8200)."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

from vipkeeper.wire.types import IPAddress

_V4 = struct.Struct("!BBH")
_V6 = struct.Struct("!I3xB")


def checksum(data: bytes) -> int:
    """Ones' complement of the ones' complement sum of 16-bit words; odd length is padded with zero.

    Over data that carries its own right checksum it is 0.
    """
    if len(data) % 2:
        data += b"\0"
    number = int.from_bytes(data, "big")
    total = number % 0xFFFF  # 2**16 is 1 modulo 0xFFFF: the number and the sum of its words agree
    if total == 0 and number != 0:
        total = 0xFFFF
    return 0xFFFF - total


def pseudo_header(source: IPAddress, destination: IPAddress, protocol: int, length: int) -> bytes:
    """What is summed in front of a message of this length (RFC 9293 section 3.1, RFC 8200 section 8.1).

    Raises:
        ValueError: the addresses are of two families.
    """
    if source.version != destination.version:
        raise ValueError(f"{source} and {destination} are of two families")
    addresses = source.packed + destination.packed
    if isinstance(source, IPv4Address):
        return addresses + _V4.pack(0, protocol, length)
    return addresses + _V6.pack(length, protocol)
