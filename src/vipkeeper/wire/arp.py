"""Ethernet frames with ARP for IPv4 (RFC 826, RFC 5227)."""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

from vipkeeper.wire.ethernet import (
    BROADCAST,
    ETHERTYPE_ARP,
    HEADER_LENGTH,
    MAC_LENGTH,
    ethertype_of,
    frame,
)

ZERO_MAC = b"\0" * MAC_LENGTH
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_IPV4_OVER_ETHERNET = (1, 0x0800, 6, 4)
_UNSPECIFIED = IPv4Address("0.0.0.0")


class Operation(enum.IntEnum):
    """The opcodes of RFC 826."""

    REQUEST = 1
    REPLY = 2


_OPERATIONS = {int(operation): operation for operation in Operation}


@dataclass(frozen=True, slots=True)
class Arp:
    """An ARP message for IPv4 over Ethernet. Addresses of hardware are 6 bytes."""

    operation: Operation
    sender_mac: bytes
    sender_ip: IPv4Address
    target_mac: bytes
    target_ip: IPv4Address


def encode_frame(arp: Arp, *, destination: bytes = BROADCAST) -> bytes:
    """The Ethernet frame from the sender's MAC, 42 bytes; the driver pads.

    Raises:
        ValueError: a hardware address is not 6 bytes.
    """
    if len(arp.target_mac) != MAC_LENGTH:
        raise ValueError("a hardware address is not 6 bytes")
    message = _ARP.pack(
        *_IPV4_OVER_ETHERNET,
        arp.operation,
        arp.sender_mac,
        arp.sender_ip.packed,
        arp.target_mac,
        arp.target_ip.packed,
    )
    return frame(destination, arp.sender_mac, ETHERTYPE_ARP, message)


def decode_frame(data: bytes) -> Arp | None:
    """The ARP message in an Ethernet frame; None when it is not a request or reply for IPv4. Total."""
    if ethertype_of(data) != ETHERTYPE_ARP or len(data) < HEADER_LENGTH + _ARP.size:
        return None
    *kind, opcode, sender_mac, sender_ip, target_mac, target_ip = _ARP.unpack_from(
        data, HEADER_LENGTH
    )
    operation = _OPERATIONS.get(opcode)
    if tuple(kind) != _IPV4_OVER_ETHERNET or operation is None:
        return None
    return Arp(operation, sender_mac, IPv4Address(sender_ip), target_mac, IPv4Address(target_ip))


def probe(vip: IPv4Address, mac: bytes) -> bytes:
    """Asks who has the VIP. Sender address 0.0.0.0: no neighbour learns from it (RFC 5227 section 1.1)."""
    return request(vip, _UNSPECIFIED, mac)


def request(target: IPv4Address, sender_ip: IPv4Address, mac: bytes) -> bytes:
    """Asks who has the target, in the name of an address of our own (RFC 826)."""
    return encode_frame(Arp(Operation.REQUEST, mac, sender_ip, ZERO_MAC, target))


def gratuitous(vip: IPv4Address, mac: bytes) -> tuple[bytes, bytes]:
    """An announcement as request and as reply, since neighbours differ in which one they heed.

    RFC 5227 section 3 compares the two. In the reply the target MAC is the sender's (RFC 5944 section
    4.6): without it Linux takes the reply for an ordinary one, which does not replace an entry
    younger than `locktime`, one second (`arp_is_garp` in net/ipv4/arp.c).
    """
    claim = request(vip, vip, mac)
    return claim, encode_frame(Arp(Operation.REPLY, mac, vip, mac, vip))
