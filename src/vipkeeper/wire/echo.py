"""Unicast probes to the MAC that answers for the VIP: ICMP echo and TCP SYN, and their answers.

An ARP answer may come from a fabric that answers for the dead; only a living kernel answers these.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from vipkeeper.wire.checksum import checksum, pseudo_header
from vipkeeper.wire.ethernet import (
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    HEADER_LENGTH,
    ethertype_of,
    frame,
)
from vipkeeper.wire.types import IPAddress

ICMP, TCP, ICMPV6 = 1, 6, 58
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_ECHO = struct.Struct("!BBHHH")
_TCP = struct.Struct("!HHIIBBHHH")
_ECHO_REQUEST = {4: 8, 6: 128}
_ECHO_REPLY = {4: 0, 6: 129}
_ICMP_OF = {4: ICMP, 6: ICMPV6}
_SYN, _RST, _ACK = 0x02, 0x04, 0x10
_DO_NOT_FRAGMENT = 0x4000
_FRAGMENT = 0x3FFF
_HOP_LIMIT = 64
_PAYLOAD = b"vipkeeper"
_SEQUENCE = 1
_WINDOW = 1024


@dataclass(frozen=True, slots=True)
class EchoReply:
    """An ICMP or ICMPv6 echo reply with a right checksum."""

    source: IPAddress
    destination: IPAddress
    identifier: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class TcpAnswer:
    """A TCP segment that accepts (SYN and ACK) or refuses (RST) a connection."""

    source: IPAddress
    destination: IPAddress
    source_port: int
    destination_port: int
    reset: bool
    acknowledged: int | None
    """The acknowledgement number; None without ACK."""


def echo_request(
    macs: tuple[bytes, bytes], source: IPAddress, destination: IPAddress, identifier: int
) -> bytes:
    """ICMP or ICMPv6 echo request in an Ethernet frame; `macs` is (ours, theirs).

    Raises:
        ValueError: the addresses are of two families.
    """
    protocol = _ICMP_OF[destination.version]
    body = _ECHO.pack(_ECHO_REQUEST[destination.version], 0, 0, identifier, _SEQUENCE) + _PAYLOAD
    covered = body if protocol == ICMP else _covered(source, destination, ICMPV6, body)
    body = body[:2] + checksum(covered).to_bytes(2, "big") + body[4:]
    return _frame(macs, source, destination, protocol, body)


def syn(
    macs: tuple[bytes, bytes], source: IPAddress, destination: IPAddress, ports: tuple[int, int]
) -> bytes:
    """TCP SYN in an Ethernet frame; `ports` is (ours, theirs). Our kernel resets what comes of it.

    Raises:
        ValueError: the addresses are of two families.
    """
    body = _TCP.pack(*ports, _SEQUENCE, 0, _TCP.size // 4 << 4, _SYN, _WINDOW, 0, 0)
    total = checksum(_covered(source, destination, TCP, body))
    body = body[:16] + total.to_bytes(2, "big") + body[18:]
    return _frame(macs, source, destination, TCP, body)


def _covered(source: IPAddress, destination: IPAddress, protocol: int, body: bytes) -> bytes:
    return pseudo_header(source, destination, protocol, len(body)) + body


def _frame(
    macs: tuple[bytes, bytes],
    source: IPAddress,
    destination: IPAddress,
    protocol: int,
    body: bytes,
) -> bytes:
    if source.version != destination.version:
        raise ValueError(f"{source} and {destination} are of two families")
    ours, theirs = macs
    ends = source.packed, destination.packed
    if isinstance(source, IPv4Address):
        length = _IPV4.size + len(body)
        ip = _IPV4.pack(0x45, 0, length, 0, _DO_NOT_FRAGMENT, _HOP_LIMIT, protocol, 0, *ends)
        ip = ip[:10] + checksum(ip).to_bytes(2, "big") + ip[12:]
        return frame(theirs, ours, ETHERTYPE_IPV4, ip + body)
    ip = _IPV6.pack(6 << 28, len(body), protocol, _HOP_LIMIT, *ends)
    return frame(theirs, ours, ETHERTYPE_IPV6, ip + body)


def answer(
    data: bytes, identifier: int, port: int, *, their_port: int | None = None
) -> IPAddress | None:
    """The address that answers our echo (with this identifier) or our SYN (from this port of ours).

    A reset counts: it takes a living kernel to send one. With `their_port` the segment must also
    come from the port that was asked. None for every other frame. Total.
    """
    found = decode_frame(data)
    if isinstance(found, EchoReply):
        echoed = (found.identifier, found.sequence, found.payload)
        return found.source if echoed == (identifier, _SEQUENCE, _PAYLOAD) else None
    if isinstance(found, TcpAnswer):
        if found.destination_port != port or their_port not in (None, found.source_port):
            return None
        return found.source if found.acknowledged in (None, _SEQUENCE + 1) else None
    return None


def decode_frame(data: bytes) -> EchoReply | TcpAnswer | None:
    """The echo reply, or the TCP answer to a SYN, in an Ethernet frame; None for all else. Total.

    Fragments and IPv6 extension headers are not followed: none of these answers needs them.
    """
    packet = _upper_layer(data)
    if packet is None:
        return None
    source, destination, protocol, body = packet
    if protocol == _ICMP_OF[source.version]:
        return _echo_reply(source, destination, body)
    if protocol == TCP:
        return _tcp_answer(source, destination, body)
    return None


def _echo_reply(source: IPAddress, destination: IPAddress, body: bytes) -> EchoReply | None:
    if len(body) < _ECHO.size:
        return None
    kind, code, _, identifier, sequence = _ECHO.unpack_from(body)
    if kind != _ECHO_REPLY[source.version] or code != 0:
        return None
    covered = body if source.version == 4 else _covered(source, destination, ICMPV6, body)
    if checksum(covered) != 0:
        return None
    return EchoReply(source, destination, identifier, sequence, body[_ECHO.size :])


def _tcp_answer(source: IPAddress, destination: IPAddress, body: bytes) -> TcpAnswer | None:
    """The checksum is not judged: a packet socket sees segments whose checksum the sender's kernel
    left to a network card that a virtual link does not have."""
    if len(body) < _TCP.size:
        return None
    source_port, destination_port, _, acknowledged, _, flags, *_ = _TCP.unpack_from(body)
    reset = bool(flags & _RST)
    if not reset and flags & (_SYN | _ACK) != _SYN | _ACK:
        return None
    return TcpAnswer(
        source,
        destination,
        source_port,
        destination_port,
        reset,
        acknowledged if flags & _ACK else None,
    )


def _upper_layer(data: bytes) -> tuple[IPAddress, IPAddress, int, bytes] | None:
    """Source, destination, protocol and payload of an unfragmented packet, without padding."""
    ethertype, packet = ethertype_of(data), data[HEADER_LENGTH:]
    if ethertype == ETHERTYPE_IPV4 and len(packet) >= _IPV4.size and packet[0] >> 4 == 4:
        return _ipv4(packet)
    if ethertype == ETHERTYPE_IPV6 and len(packet) >= _IPV6.size and packet[0] >> 4 == 6:
        _, length, protocol, _, source, destination = _IPV6.unpack_from(packet)
        body = packet[_IPV6.size :][:length]
        if len(body) != length:
            return None
        return IPv6Address(source), IPv6Address(destination), protocol, body
    return None


def _ipv4(packet: bytes) -> tuple[IPAddress, IPAddress, int, bytes] | None:
    first, _, length, _, fragment, _, protocol, _, source, destination = _IPV4.unpack_from(packet)
    header = (first & 0x0F) * 4
    if not _IPV4.size <= header <= length <= len(packet) or fragment & _FRAGMENT:
        return None
    if checksum(packet[:header]) != 0:
        return None
    return IPv4Address(source), IPv4Address(destination), protocol, packet[header:length]
