"""One address command to the kernel, at once (rtnetlink(7), include/uapi/linux/if_addr.h).

The kernel carries out a request and queues its acknowledgement before `send` returns, so a command is
two system calls and never waits for the event loop: a handover has a budget of milliseconds, and what
goes through an event loop waits behind everything else in it. Reading is `host.tables`.
"""

from __future__ import annotations

import enum
import errno
import os
import socket
import struct

from vipkeeper.wire.types import IPAddress

RTM_NEWADDR, RTM_DELADDR = 20, 21
NLMSG_ERROR = 2
IFA_ADDRESS, IFA_LOCAL, IFA_CACHEINFO, IFA_FLAGS = 1, 2, 6, 8
IFA_F_NODAD = 0x02
IFA_F_NOPREFIXROUTE = 0x200
_REQUEST_ACK = 0x01 | 0x04
_REPLACE, _EXCLUSIVE, _CREATE = 0x100, 0x200, 0x400
_HEADER = struct.Struct("=IHHII")
_BODY = struct.Struct("=BBBBI")
_ERROR = struct.Struct("=i")
_READS = 8


class Command(enum.Enum):
    """What to do with an address: message type and flags."""

    ADD = (RTM_NEWADDR, _REQUEST_ACK | _CREATE | _EXCLUSIVE)
    """Fails with EEXIST where it is already."""
    REPLACE = (RTM_NEWADDR, _REQUEST_ACK | _CREATE | _REPLACE)
    """Restarts the lifetime; creates the address where it is not."""
    DELETE = (RTM_DELADDR, _REQUEST_ACK)


def encode(
    command: Command, address: IPAddress, index: int, seconds: int, sequence: int = 0
) -> bytes:
    """The request for the address as /32 or /128 on the interface with this index.

    `seconds`: valid lifetime; the preferred one is 0, so that the address is deprecated from the start
    and no source address for IPv6 (RFC 6724 rule 3). Without a prefix route, and for IPv6 without
    duplicate address detection: the wire was asked before the claim.
    """
    kind, flags = command.value
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    address_flags = IFA_F_NOPREFIXROUTE | (IFA_F_NODAD if address.version == 6 else 0)
    body = _BODY.pack(family, address.max_prefixlen, address_flags & 0xFF, 0, index)
    body += _attribute(IFA_LOCAL, address.packed) + _attribute(IFA_ADDRESS, address.packed)
    if command is not Command.DELETE:
        body += _attribute(IFA_FLAGS, struct.pack("=I", address_flags))
        body += _attribute(IFA_CACHEINFO, struct.pack("=IIII", 0, seconds, 0, 0))
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    """All values here are multiples of four bytes: no padding."""
    return struct.pack("=HH", 4 + len(value), kind) + value


class CommandSocket:
    """Sends commands one at a time."""

    def __init__(self) -> None:
        self._sequence = 0
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )

    def carry_out(self, command: Command, address: IPAddress, index: int, seconds: int = 0) -> None:
        """Send one command and take its acknowledgement.

        Raises:
            OSError: the kernel refused, with its errno.
        """
        self._sequence = self._sequence % 0xFFFFFFFF + 1
        self._socket.send(encode(command, address, index, seconds, self._sequence))
        for _ in range(_READS):
            data = self._socket.recv(4096)
            if len(data) < _HEADER.size + _ERROR.size:
                continue
            _, kind, _, sequence, _ = _HEADER.unpack_from(data)
            if kind != NLMSG_ERROR or sequence != self._sequence:
                continue  # of an earlier command whose acknowledgement could not be read
            (number,) = _ERROR.unpack_from(data, _HEADER.size)
            if number:
                raise OSError(-number, os.strerror(-number))
            return
        raise OSError(errno.EPROTO, "the kernel did not acknowledge")

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
