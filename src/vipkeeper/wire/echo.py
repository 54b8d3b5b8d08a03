"""Unicast probes to the MAC that answers for the VIP: ICMP echo and TCP SYN, and their answers.

An ARP answer may come from a fabric that answers for the dead; only a living kernel answers these.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

from vipkeeper.wire.checksum import checksum, pseudo_header
from vipkeeper.wire.types import IPAddress

ICMP, TCP, ICMPV6 = 1, 6, 58
_ETHERNET = struct.Struct("!6s6sH")
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_ECHO = struct.Struct("!BBHHH")
_TCP = struct.Struct("!HHIIBBHHH")
_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}
_SYN, _RST, _ACK = 0x02, 0x04, 0x10


def echo_request(
    macs: tuple[bytes, bytes], source: IPAddress, destination: IPAddress, identifier: int
) -> bytes:
    """ICMP or ICMPv6 echo request in an Ethernet frame; `macs` is (ours, theirs)."""
    kind = _REQUEST[destination.version]
    body = _ECHO.pack(kind, 0, 0, identifier, 1) + b"vipkeeper"
    protocol = ICMP if destination.version == 4 else ICMPV6
    header = b"" if protocol == ICMP else pseudo_header(source, destination, ICMPV6, len(body))
    total = checksum(header + body)
    body = body[:2] + total.to_bytes(2, "big") + body[4:]
    return _frame(macs, source, destination, protocol, body)


def syn(
    macs: tuple[bytes, bytes], source: IPAddress, destination: IPAddress, ports: tuple[int, int]
) -> bytes:
    """TCP SYN in an Ethernet frame; `ports` is (ours, theirs). Our kernel resets what comes of it."""
    body = _TCP.pack(ports[0], ports[1], 1, 0, 5 << 4, _SYN, 1024, 0, 0)
    header = pseudo_header(source, destination, TCP, len(body))
    total = checksum(header + body)
    body = body[:16] + total.to_bytes(2, "big") + body[18:]
    return _frame(macs, source, destination, TCP, body)


def _frame(
    macs: tuple[bytes, bytes],
    source: IPAddress,
    destination: IPAddress,
    protocol: int,
    body: bytes,
) -> bytes:
    ours, theirs = macs
    if isinstance(source, IPv4Address):
        length = _IPV4.size + len(body)
        ip = _IPV4.pack(
            0x45, 0, length, 0, 0x4000, 64, protocol, 0, source.packed, destination.packed
        )
        ip = ip[:10] + checksum(ip).to_bytes(2, "big") + ip[12:]
        return _ETHERNET.pack(theirs, ours, 0x0800) + ip + body
    ip = _IPV6.pack(6 << 28, len(body), protocol, 64, source.packed, destination.packed)
    return _ETHERNET.pack(theirs, ours, 0x86DD) + ip + body


def answer(data: bytes, identifier: int, port: int) -> IPAddress | None:
    """The address that answers our echo (with this identifier) or SYN (from this port of ours).

    A reset counts: it takes a living kernel to send one. None for every other frame.
    """
    packet = _upper_layer(data)
    if packet is None:
        return None
    source, protocol, body = packet
    if protocol in (ICMP, ICMPV6) and len(body) >= _ECHO.size:
        kind, _, _, got, _ = _ECHO.unpack_from(body)
        return source if kind == _REPLY[source.version] and got == identifier else None
    if protocol == TCP and len(body) >= _TCP.size:
        fields = _TCP.unpack_from(body)
        flags = fields[5]
        answered = flags & _RST or flags & (_SYN | _ACK) == _SYN | _ACK
        return source if fields[1] == port and answered else None
    return None


def _upper_layer(data: bytes) -> tuple[IPAddress, int, bytes] | None:
    kind, packet = data[12:14], data[14:]
    if kind == b"\x08\x00" and len(packet) >= _IPV4.size and packet[0] >> 4 == 4:
        header = (packet[0] & 15) * 4
        if header < _IPV4.size or packet[6] & 0x1F or packet[7]:
            return None
        return IPv4Address(packet[12:16]), packet[9], packet[header:]
    if kind == b"\x86\xdd" and len(packet) >= _IPV6.size and packet[0] >> 4 == 6:
        return IPv6Address(packet[8:24]), packet[6], packet[_IPV6.size :]
    return None
