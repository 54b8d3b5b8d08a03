"""When the VIP came to each server's kernel and when it left: `python -m vipkeeper.lab.addresses --vip V cp1 ...`.

Listens to the address events (rtnetlink(7)) of every server's network namespace from one process. What
the daemons say of themselves plays no part.
"""

from __future__ import annotations

import argparse
import errno
import select
import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address

from vipkeeper.lab.kernel import inside, now
from vipkeeper.lab.probe import Journal, end_quietly, prefer
from vipkeeper.lab.records import Kind

RTM_NEWADDR, RTM_DELADDR = 20, 21
_RTMGRP_IPV4_IFADDR, _RTMGRP_IPV6_IFADDR = 0x10, 0x100
_NETLINK_ROUTE = 0
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_MESSAGE = struct.Struct("=IHHII")
_IFADDR = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_LONGEST = 1 << 16
_QUEUE = 1 << 20
NAME = "addresses"
"""What it calls itself."""
_HEARD_EVERY = 0.05
"""Seconds after which it says that nothing has changed."""


def address_events(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(RTM_NEWADDR or RTM_DELADDR, packed address) for each such message in a netlink datagram.

    Total: what is cut short or of another kind is left out.
    """
    offset = 0
    while offset + _MESSAGE.size <= len(data):
        length, kind, *_ = _MESSAGE.unpack_from(data, offset)
        if length < _MESSAGE.size:
            return
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            address = _address(data[offset + _MESSAGE.size + _IFADDR.size : offset + length])
            if address:
                yield kind, address
        offset += (length + 3) & ~3


def _address(attributes: bytes) -> bytes:
    """The address of one message: IFA_LOCAL, and where there is none (IPv6) IFA_ADDRESS."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset + _ATTRIBUTE.size <= len(attributes):
        length, kind = _ATTRIBUTE.unpack_from(attributes, offset)
        if length < _ATTRIBUTE.size:
            break
        found[kind] = attributes[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS, b"")


def listen(namespace: str) -> socket.socket:
    """A socket that hears the address events of a named network namespace."""
    with inside(namespace):
        events = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_ROUTE
        )
    events.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE)
    events.bind((0, _RTMGRP_IPV4_IFADDR | _RTMGRP_IPV6_IFADDR))
    events.setblocking(False)
    return events


def main() -> None:
    """Entry of `python -m vipkeeper.lab.addresses`."""
    parser = argparse.ArgumentParser(prog="vipkeeper.lab.addresses", description=__doc__)
    parser.add_argument("--vip", type=ip_address, required=True)
    parser.add_argument("servers", nargs="+", metavar="SERVER")
    options = parser.parse_args()
    end_quietly()
    journal = Journal()
    poll = select.epoll()
    sockets: dict[int, tuple[str, socket.socket]] = {}
    for server in options.servers:
        events = listen(server)
        sockets[events.fileno()] = (server, events)
        poll.register(events, select.EPOLLIN)
    prefer()
    journal.note(Kind.READY, now(), text=NAME)
    journal.write(force=True)
    while True:
        ready = poll.poll(_HEARD_EVERY)
        at = now()
        for descriptor, _ in ready:
            server, events = sockets[descriptor]
            _receive(events, server, options.vip.packed, journal)
        journal.note(Kind.HEARD, at, text=NAME)
        journal.write(force=True)


def _receive(events: socket.socket, server: str, vip: bytes, journal: Journal) -> None:
    while True:
        try:
            data = events.recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                raise SystemExit(f"address events of {server} were lost: queue full") from None
            raise
        at = now()
        for kind, address in address_events(data):
            if address == vip:
                what = Kind.ADDRESS_ADDED if kind == RTM_NEWADDR else Kind.ADDRESS_REMOVED
                journal.note(what, at, text=server)


if __name__ == "__main__":
    main()
