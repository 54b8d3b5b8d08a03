"""The kernel's tables of interfaces, addresses and neighbours, each read whole (rtnetlink(7)).

Own code and not pyroute2, which is imported whole or not at all: 11 MB of memory, locked for ever, for a
dozen fields (docs/decisions.md). Its codec judges this one in tests. Each table is read through a socket
of its own, so a read that failed (ENOBUFS) leaves nothing behind that could spoil the next.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from vipkeeper.host.rtmessages import Message, attribute, attributes, messages, request
from vipkeeper.host.snapshot import Link, LocalAddress, Snapshot
from vipkeeper.wire.types import IPAddress

RTM_NEWLINK, RTM_GETLINK = 16, 18
RTM_NEWADDR, RTM_GETADDR = 20, 22
RTM_NEWNEIGH, RTM_GETNEIGH = 28, 30
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_DUMP_INTR = 0x10
IFLA_ADDRESS, IFLA_IFNAME, IFLA_EXT_MASK = 1, 3, 29
RTEXT_FILTER_SKIP_STATS = 0x08
IFA_ADDRESS, IFA_LOCAL = 1, 2
NDA_DST, NDA_LLADDR = 1, 2
IFF_UP, IFF_LOWER_UP = 0x1, 0x10000
IFA_F_PERMANENT = 0x80
"""Among the first eight flags, so the header has it and IFA_FLAGS is not needed."""
_REQUEST_DUMP = 0x01 | 0x300
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_NUMBER = struct.Struct("=I")
_ERROR = struct.Struct("=i")
_LONGEST = 65536
_READS = 4096
"""Bound of one table: as many parts, each up to 32 KiB."""
_PATIENCE = 1.0
"""Seconds; the kernel answers before `send` returns, so this only ends what would never end."""


Known = dict[bytes, LocalAddress]
"""Addresses by the message that told of them: one that is told again alike is not parsed again."""


def read_snapshot(known: Known | None = None) -> tuple[Snapshot, bool]:
    """Interfaces and addresses; True when a change overtook the reading, which may then lack what is there.

    `known`: what the last reading left there; with it only changes are parsed, of thousands of addresses.

    Raises:
        OSError: the kernel cannot be read.
    """
    skip = attribute(IFLA_EXT_MASK, _NUMBER.pack(RTEXT_FILTER_SKIP_STATS))
    links, torn = _read(RTM_GETLINK, _LINK.pack(0, 0, 0, 0, 0) + skip)
    addresses, torn_too = _read(RTM_GETADDR, _ADDRESS.pack(0, 0, 0, 0, 0))
    return snapshot(links, addresses, known), torn or torn_too


def read_neighbours() -> tuple[tuple[IPAddress, bytes], ...]:
    """(address, MAC) of every neighbour entry that has a MAC.

    Raises:
        OSError: the kernel cannot be read.
    """
    found, _ = _read(RTM_GETNEIGH, _NEIGHBOUR.pack(0, 0, 0, 0, 0))
    return tuple(neighbours(found))


def snapshot(
    links: list[Message], addresses: list[Message], known: Known | None = None
) -> Snapshot:
    """What the messages of the two tables say; `known` as in `read_snapshot`. Total."""
    found = [link for message in links if (link := _link(message)) is not None]
    names = {link.index: link.name for link in found}
    before: Known = known if known is not None else {}
    after: Known = {}
    local: list[LocalAddress] = []
    for message in addresses:
        address = before.get(message.body) if message.kind == RTM_NEWADDR else None
        if address is None or names.get(address.index) != address.interface:
            address = _local_address(message, names)
        if address is not None:
            after[message.body] = address
            local.append(address)
    if known is not None:
        known.clear()
        known.update(after)
    return Snapshot(tuple(found), tuple(local))


def neighbours(found: list[Message]) -> Iterator[tuple[IPAddress, bytes]]:
    """(address, MAC) of each message that has both. Total."""
    for message in found:
        if message.kind != RTM_NEWNEIGH or len(message.body) < _NEIGHBOUR.size:
            continue
        values = attributes(message.body[_NEIGHBOUR.size :])
        address = _ip_address(message.body[0], values.get(NDA_DST))
        if address is not None and NDA_LLADDR in values:
            yield address, values[NDA_LLADDR]


def _link(message: Message) -> Link | None:
    if message.kind != RTM_NEWLINK or len(message.body) < _LINK.size:
        return None
    _, _, index, flags, _ = _LINK.unpack_from(message.body)
    values = attributes(message.body[_LINK.size :])
    name = os.fsdecode(values.get(IFLA_IFNAME, b"").rstrip(b"\0"))
    up = bool(flags & IFF_UP and flags & IFF_LOWER_UP)
    return Link(name, index, up, values.get(IFLA_ADDRESS, b""))


def _local_address(message: Message, names: dict[int, str]) -> LocalAddress | None:
    if message.kind != RTM_NEWADDR or len(message.body) < _ADDRESS.size:
        return None
    family, length, flags, _, index = _ADDRESS.unpack_from(message.body)
    values = attributes(message.body[_ADDRESS.size :])
    address = _ip_address(family, values.get(IFA_LOCAL, values.get(IFA_ADDRESS)))
    if address is None or index not in names or length > address.max_prefixlen:
        return None
    return LocalAddress(address, length, names[index], index, bool(flags & IFA_F_PERMANENT))


def _ip_address(family: int, packed: bytes | None) -> IPAddress | None:
    if packed is not None and family == socket.AF_INET and len(packed) == 4:
        return IPv4Address(packed)
    if packed is not None and family == socket.AF_INET6 and len(packed) == 16:
        return IPv6Address(packed)
    return None


def _read(kind: int, body: bytes) -> tuple[list[Message], bool]:
    """All messages of one table, and whether a change overtook them."""
    found: list[Message] = []
    torn = False
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(_PATIENCE)
        sock.send(request(kind, _REQUEST_DUMP, body, 1))
        for _ in range(_READS):
            data, _, flags, _ = sock.recvmsg(_LONGEST)
            torn |= bool(flags & socket.MSG_TRUNC)
            for message in messages(data):
                torn |= bool(message.flags & NLM_F_DUMP_INTR)
                if message.kind in (NLMSG_DONE, NLMSG_ERROR):
                    _raise_if_refused(message)
                    return found, torn
                found.append(message)
    return found, True


def _raise_if_refused(end: Message) -> None:
    """Both kinds of end carry an error number, negative, or 0."""
    if len(end.body) >= _ERROR.size:
        (number,) = _ERROR.unpack_from(end.body)
        if number < 0:
            raise OSError(-number, os.strerror(-number))
