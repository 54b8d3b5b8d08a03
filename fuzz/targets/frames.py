"""Changes of frames that put length and checksums right afterwards; shared by two targets."""

from __future__ import annotations

import random

from fuzz.mutate import mutate

_ETHERNET, _IPV4, _IPV6 = 14, 20, 40
LONGEST = 256


def checksummed(data: bytes, rng: random.Random) -> bytes:
    """Change the frame behind its MACs, then let the checksums fit, so that what lies behind is reached."""
    changed = mutate(data[_ETHERNET:], rng, LONGEST)
    head = data[:_ETHERNET].ljust(_ETHERNET, b"\0")
    if head[12:] == b"\x08\x00" and len(changed) >= _IPV4:
        return head + _fit_ipv4(bytearray(changed))
    if head[12:] == b"\x86\xdd" and len(changed) >= _IPV6:
        return head + _fit_ipv6(bytearray(changed))
    return head + changed


def _fit_ipv4(packet: bytearray) -> bytes:
    packet[0] = 0x45
    packet[2:4] = len(packet).to_bytes(2, "big")
    packet[10:12] = b"\0\0"
    packet[10:12] = _sum(bytes(packet[:_IPV4]))
    body = packet[_IPV4:]
    if packet[9] == 1 and len(body) >= 4:
        body[2:4] = b"\0\0"
        body[2:4] = _sum(bytes(body))
    return bytes(packet[:_IPV4] + body)


def _fit_ipv6(packet: bytearray) -> bytes:
    packet[0] = 0x60 | packet[0] & 0x0F
    body = packet[_IPV6:]
    packet[4:6] = len(body).to_bytes(2, "big")
    if packet[6] == 58 and len(body) >= 4:
        body[2:4] = b"\0\0"
        pseudo = bytes(packet[8:40]) + len(body).to_bytes(4, "big") + b"\0\0\0\x3a"
        body[2:4] = _sum(pseudo + bytes(body))
    return bytes(packet[:_IPV6] + body)


def _sum(data: bytes) -> bytes:
    """RFC 1071, by its words and without the code under test."""
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return (0xFFFF - total).to_bytes(2, "big")
