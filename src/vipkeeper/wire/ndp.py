"""Ethernet frames with neighbour solicitations and advertisements (RFC 4861, RFC 4862)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv6Address

from vipkeeper.wire.checksum import checksum, pseudo_header
from vipkeeper.wire.ethernet import (
    ETHERTYPE_IPV6,
    HEADER_LENGTH,
    MAC_LENGTH,
    ethertype_of,
    frame,
)

ICMPV6 = 58
SOLICITATION = 135
ADVERTISEMENT = 136
ALL_NODES = IPv6Address("ff02::1")
UNSPECIFIED = IPv6Address("::")
_ROUTER, _SOLICITED, _OVERRIDE = 0x80000000, 0x40000000, 0x20000000
_HOP_LIMIT = 255
_SOURCE_LINK_ADDRESS, _TARGET_LINK_ADDRESS = 1, 2
_SOLICITED_NODE = b"\xff\x02" + b"\0" * 9 + b"\x01\xff"
_IPV6 = struct.Struct("!IHBB16s16s")
_BODY = struct.Struct("!BBHI16s")


@dataclass(frozen=True, slots=True)
class NeighbourMessage:
    """A solicitation or an advertisement."""

    kind: int
    """`SOLICITATION` or `ADVERTISEMENT`."""
    source: IPv6Address
    destination: IPv6Address
    target: IPv6Address
    link_address: bytes | None
    """From the source (solicitation) or target (advertisement) link-layer address option."""
    solicited: bool
    """An advertisement that answers a solicitation. Answers to duplicate address detection are not
    marked (RFC 4861 section 7.2.4)."""
    override: bool
    """An advertisement that replaces what neighbours have cached."""
    router: bool
    """An advertisement of a host that forwards."""
    frame_source: bytes
    """The MAC the frame came from."""


def solicitation(target: IPv6Address, source: IPv6Address, mac: bytes) -> bytes:
    """Asks who has the target, by its solicited-node group (RFC 4861 section 7.2.2).

    With `UNSPECIFIED` as source it is the form of duplicate address detection (RFC 4862 section
    5.4.2): no link-layer option, and the answer goes to all nodes.
    """
    option = b"" if source == UNSPECIFIED else _link_option(_SOURCE_LINK_ADDRESS, mac)
    return _frame(SOLICITATION, 0, target, option, source, solicited_node(target), mac)


def advertisement(target: IPv6Address, mac: bytes, *, router: bool = False) -> bytes:
    """Unsolicited advertisement to all nodes that the target is at this MAC (RFC 4861 section 7.2.6).

    `router` should say whether this host forwards.
    """
    option = _link_option(_TARGET_LINK_ADDRESS, mac)
    flags = _OVERRIDE | (_ROUTER if router else 0)
    return _frame(ADVERTISEMENT, flags, target, option, target, ALL_NODES, mac)


def solicited_node(address: IPv6Address) -> IPv6Address:
    """The multicast group a host with this address listens to (RFC 4291 section 2.7.1)."""
    return IPv6Address(_SOLICITED_NODE + address.packed[13:])


def _link_option(kind: int, mac: bytes) -> bytes:
    if len(mac) != MAC_LENGTH:
        raise ValueError("a hardware address is not 6 bytes")
    return bytes((kind, 1)) + mac


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
    return frame(multicast, mac, ETHERTYPE_IPV6, header + body)


def decode_frame(data: bytes) -> NeighbourMessage | None:
    """The neighbour message in an Ethernet frame; None when it is none, or not a valid one. Total.

    Valid: RFC 4861 section 7.1.1 for solicitations, 7.1.2 for advertisements.
    """
    start = HEADER_LENGTH + _IPV6.size
    if ethertype_of(data) != ETHERTYPE_IPV6 or len(data) < start + _BODY.size:
        return None
    first, length, protocol, hops, source, destination = _IPV6.unpack_from(data, HEADER_LENGTH)
    body = data[start : start + length]
    if (
        first >> 28 != 6
        or protocol != ICMPV6
        or hops != _HOP_LIMIT
        or not _BODY.size <= length == len(body)
    ):
        return None
    header = pseudo_header(IPv6Address(source), IPv6Address(destination), ICMPV6, length)
    if checksum(header + body) != 0:
        return None
    return _message(
        body, IPv6Address(source), IPv6Address(destination), data[MAC_LENGTH : 2 * MAC_LENGTH]
    )


def _message(
    body: bytes, source: IPv6Address, destination: IPv6Address, frame_source: bytes
) -> NeighbourMessage | None:
    kind, code, _, flags, packed = _BODY.unpack_from(body)
    target = IPv6Address(packed)
    options = _options(body[_BODY.size :])
    if code != 0 or target.is_multicast or options is None:
        return None
    if kind == SOLICITATION:
        flags = 0
        link = options.get(_SOURCE_LINK_ADDRESS)
        to_group = destination.packed.startswith(_SOLICITED_NODE)
        if source == UNSPECIFIED and (link is not None or not to_group):
            return None
    elif kind == ADVERTISEMENT:
        link = options.get(_TARGET_LINK_ADDRESS)
        if flags & _SOLICITED and destination.is_multicast:
            return None
    else:
        return None
    return NeighbourMessage(
        kind=kind,
        source=source,
        destination=destination,
        target=target,
        link_address=link,
        solicited=bool(flags & _SOLICITED),
        override=bool(flags & _OVERRIDE),
        router=bool(flags & _ROUTER),
        frame_source=frame_source,
    )


def _options(data: bytes) -> dict[int, bytes] | None:
    """The 6-byte values by option type, the last of each; None when a length does not fit."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        size = data[at + 1] * 8 if at + 1 < len(data) else 0
        if size == 0 or at + size > len(data):
            return None
        if size == 8:
            found[data[at]] = data[at + 2 : at + 8]
        at += size
    return found
