"""Ethernet frames with neighbour solicitations and advertisements (RFC 4861, RFC 4862)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv6Address

from vipkeeper.wire.checksum import checksum, pseudo_header

ETHERTYPE_IPV6 = 0x86DD
ICMPV6 = 58
SOLICITATION = 135
ADVERTISEMENT = 136
ALL_NODES = IPv6Address("ff02::1")
UNSPECIFIED = IPv6Address("::")
_OVERRIDE = 0x20000000
_SOLICITED = 0x40000000
_HOP_LIMIT = 255
_SOURCE_LINK_ADDRESS = 1
_TARGET_LINK_ADDRESS = 2
_ETHERNET = struct.Struct("!6s6sH")
_IPV6 = struct.Struct("!IHBB16s16s")
_BODY = struct.Struct("!BBHI16s")


@dataclass(frozen=True, slots=True)
class NeighbourMessage:
    """A solicitation or an advertisement."""

    kind: int
    """`SOLICITATION` or `ADVERTISEMENT`."""
    source: IPv6Address
    target: IPv6Address
    link_address: bytes | None
    """From the source (solicitation) or target (advertisement) link-layer address option."""
    solicited: bool
    frame_source: bytes
    """The MAC the frame came from."""


def solicitation(target: IPv6Address, source: IPv6Address, mac: bytes) -> bytes:
    """Asks who has the target; `source` may be `UNSPECIFIED` (duplicate address detection)."""
    group = IPv6Address(b"\xff\x02" + b"\0" * 9 + b"\x01\xff" + target.packed[13:])
    option = b"" if source == UNSPECIFIED else bytes((_SOURCE_LINK_ADDRESS, 1)) + mac
    return _frame(SOLICITATION, 0, target, option, source, group, mac)


def advertisement(target: IPv6Address, mac: bytes) -> bytes:
    """Unsolicited advertisement to all nodes, override set (RFC 4861 section 7.2.6)."""
    option = bytes((_TARGET_LINK_ADDRESS, 1)) + mac
    return _frame(ADVERTISEMENT, _OVERRIDE, target, option, target, ALL_NODES, mac)


def _frame(
    kind: int,
    flags: int,
    target: IPv6Address,
    option: bytes,
    source: IPv6Address,
    destination: IPv6Address,
    mac: bytes,
) -> bytes:
    body = _BODY.pack(kind, 0, 0, flags, target.packed) + option
    total = checksum(pseudo_header(source, destination, ICMPV6, len(body)) + body)
    body = body[:2] + total.to_bytes(2, "big") + body[4:]
    header = _IPV6.pack(6 << 28, len(body), ICMPV6, _HOP_LIMIT, source.packed, destination.packed)
    multicast = b"\x33\x33" + destination.packed[12:]
    return _ETHERNET.pack(multicast, mac, ETHERTYPE_IPV6) + header + body


def decode_frame(data: bytes) -> NeighbourMessage | None:
    """The neighbour message in an Ethernet frame; None when it is none or fails RFC 4861 section 7.1."""
    start = _ETHERNET.size + _IPV6.size
    if len(data) < start + _BODY.size or data[12:14] != b"\x86\xdd":
        return None
    _, length, protocol, hops, source, destination = _IPV6.unpack_from(data, _ETHERNET.size)
    body = data[start : start + length]
    if protocol != ICMPV6 or hops != _HOP_LIMIT or not _BODY.size <= len(body) == length:
        return None
    kind, code, _, flags, target = _BODY.unpack_from(body)
    if kind not in (SOLICITATION, ADVERTISEMENT) or code != 0 or target[0] == 0xFF:
        return None
    header = pseudo_header(IPv6Address(source), IPv6Address(destination), ICMPV6, length)
    if checksum(header + body) != 0:
        return None
    options = body[_BODY.size :]
    wanted = _SOURCE_LINK_ADDRESS if kind == SOLICITATION else _TARGET_LINK_ADDRESS
    link = _option(options, wanted)
    if link is _BAD_OPTIONS:
        return None
    return NeighbourMessage(
        kind,
        IPv6Address(source),
        IPv6Address(target),
        link or None,
        bool(flags & _SOLICITED) if kind == ADVERTISEMENT else False,
        data[6:12],
    )


_BAD_OPTIONS = b"bad options"


def _option(options: bytes, wanted: int) -> bytes:
    """The MAC of the wanted option, empty when absent, `_BAD_OPTIONS` when a length does not fit."""
    found = b""
    while options:
        if len(options) < 8 or options[1] == 0 or options[1] * 8 > len(options):
            return _BAD_OPTIONS
        if options[0] == wanted and options[1] == 1:
            found = options[2:8]
        options = options[options[1] * 8 :]
    return found
