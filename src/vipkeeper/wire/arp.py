"""Ethernet frames with ARP for IPv4 (RFC 826, RFC 5227)."""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

BROADCAST = b"\xff" * 6
ZERO_MAC = b"\0" * 6
ETHERTYPE_ARP = 0x0806
_ETHERNET = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_FIXED = (1, 0x0800, 6, 4)


class Operation(enum.IntEnum):
    """ARP opcodes we use (RFC 826)."""

    REQUEST = 1
    REPLY = 2


@dataclass(frozen=True, slots=True)
class Arp:
    """An ARP message for IPv4 over Ethernet."""

    operation: Operation
    sender_mac: bytes
    sender_ip: IPv4Address
    target_mac: bytes
    target_ip: IPv4Address


def encode_frame(arp: Arp, *, destination: bytes = BROADCAST) -> bytes:
    """The Ethernet frame, 42 bytes (the driver pads)."""
    return _ETHERNET.pack(destination, arp.sender_mac, ETHERTYPE_ARP) + _ARP.pack(
        *_FIXED,
        arp.operation,
        arp.sender_mac,
        arp.sender_ip.packed,
        arp.target_mac,
        arp.target_ip.packed,
    )


def decode_frame(data: bytes) -> Arp | None:
    """The ARP message in an Ethernet frame; None when it is not one for IPv4 over Ethernet."""
    if len(data) < _ETHERNET.size + _ARP.size:
        return None
    if data[12:14] != ETHERTYPE_ARP.to_bytes(2, "big"):
        return None
    fields = _ARP.unpack_from(data, _ETHERNET.size)
    if fields[:4] != _FIXED or fields[4] not in (Operation.REQUEST, Operation.REPLY):
        return None
    return Arp(
        Operation(fields[4]), fields[5], IPv4Address(fields[6]), fields[7], IPv4Address(fields[8])
    )


def probe(vip: IPv4Address, mac: bytes) -> bytes:
    """Asks who has the VIP without claiming an address of our own (RFC 5227 section 1.1)."""
    return encode_frame(Arp(Operation.REQUEST, mac, IPv4Address(0), ZERO_MAC, vip))


def gratuitous(vip: IPv4Address, mac: bytes) -> tuple[bytes, bytes]:
    """An announcement in both forms neighbours listen to: request and reply (RFC 5227 section 3)."""
    request = Arp(Operation.REQUEST, mac, vip, ZERO_MAC, vip)
    reply = Arp(Operation.REPLY, mac, vip, BROADCAST, vip)
    return encode_frame(request), encode_frame(reply)
