"""Next hops of this host's routes: who can be asked whether this server hears anybody (rtnetlink(7)).

Synchronous and small, as in `host.rtnl`: a lookup is two system calls whatever the size of the tables.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from vipkeeper.host.rtmessages import attribute, attributes, messages, request
from vipkeeper.wire.types import IPAddress

RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
NLMSG_ERROR, NLMSG_DONE = 2, 3
RTN_UNICAST = 1
RT_TABLE_MAIN = 254
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_MULTIPATH = 1, 4, 5, 9
SOL_NETLINK, NETLINK_GET_STRICT_CHK = 270, 12
_REQUEST, _DUMP = 0x01, 0x300
_ROUTE = struct.Struct("=BBBBBBBBI")
_HOP = struct.Struct("=HBBi")
_INDEX = struct.Struct("=I")
_ELSEWHERE: dict[int, IPAddress] = {
    4: IPv4Address("198.51.100.1"),
    6: IPv6Address("2001:db8::1"),
}
"""Addresses of documentation (RFC 5737, RFC 3849): no host has them, so only a default route leads there."""
_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
_READS = 4096
"""Bound of one dump: as many parts, each up to 32 KiB."""
_PATIENCE = 1.0
"""Seconds; the kernel answers before `send` returns, so this only ends what would never end."""


@dataclass(frozen=True, slots=True)
class NextHop:
    """Where one route leads."""

    gateway: IPAddress
    index: int
    """Of the interface."""
    default: bool
    """The route leads everywhere."""


def default_hop(version: int, index: int) -> IPAddress | None:
    """The next hop of the default route over this interface; None when there is none, or no answer."""
    target = _ELSEWHERE[version]
    body = _ROUTE.pack(_FAMILY[version], target.max_prefixlen, 0, 0, 0, 0, 0, 0, 0)
    body += attribute(RTA_DST, target.packed) + attribute(RTA_OIF, _INDEX.pack(index))
    for message in _ask(body, 0):
        for hop in hops(message):
            if hop.index == index:
                return hop.gateway
    return None


def next_hops(version: int, index: int) -> list[IPAddress]:
    """The next hops of all routes of the main table over this interface, those of default routes first."""
    body = _ROUTE.pack(_FAMILY[version], 0, 0, 0, RT_TABLE_MAIN, 0, 0, 0, 0)
    body += attribute(RTA_OIF, _INDEX.pack(index))
    found = [hop for message in _ask(body, _DUMP) for hop in hops(message) if hop.index == index]
    ordered = sorted(found, key=lambda hop: not hop.default)
    return list(dict.fromkeys(hop.gateway for hop in ordered))


def _ask(body: bytes, flags: int) -> Iterator[bytes]:
    """The bodies of the answers to one request; nothing when the kernel refuses or is not understood."""
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock,
    ):
        sock.settimeout(_PATIENCE)
        with contextlib.suppress(OSError):  # before Linux 4.20: the dump is of all interfaces
            sock.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        sock.send(request(RTM_GETROUTE, _REQUEST | flags, body, 1))
        for _ in range(_READS):
            for message in messages(sock.recv(65536)):
                if message.kind in (NLMSG_DONE, NLMSG_ERROR):
                    return
                if message.kind == RTM_NEWROUTE:
                    yield message.body
            if not flags:
                return


def hops(message: bytes) -> Iterator[NextHop]:
    """The next hops of one route that has a gateway of its own family. Total."""
    if len(message) < _ROUTE.size:
        return
    family, length, _, _, _, _, _, kind, _ = _ROUTE.unpack_from(message)
    if kind != RTN_UNICAST:
        return
    values = attributes(message[_ROUTE.size :])
    index = values.get(RTA_OIF, b"")
    if len(index) == _INDEX.size:
        yield from _hop(family, values, _INDEX.unpack(index)[0], length == 0)
    data = values.get(RTA_MULTIPATH, b"")
    while len(data) >= _HOP.size:
        size, _, _, number = _HOP.unpack_from(data)
        if not _HOP.size <= size <= len(data):
            return
        yield from _hop(family, attributes(data[_HOP.size : size]), number, length == 0)
        data = data[(size + 3) & ~3 :]


def _hop(family: int, values: dict[int, bytes], index: int, default: bool) -> Iterator[NextHop]:
    packed = values.get(RTA_GATEWAY, b"")
    if family == socket.AF_INET and len(packed) == 4:
        yield NextHop(IPv4Address(packed), index, default)
    elif family == socket.AF_INET6 and len(packed) == 16:
        yield NextHop(IPv6Address(packed), index, default)
