"""Says when links, addresses or default routes change, without saying what: the caller reads afresh.

A plain rtnetlink socket, so that an overrun (ENOBUFS) is nothing but one more reason to read again.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import Callable, Sequence

from vipkeeper.host.bpf import JEQ, LD_B, LD_H, RET, Instruction, Step, attach, resolve
from vipkeeper.wire.types import IPAddress

RTMGRP_LINK = 0x1
RTMGRP_IPV4_IFADDR = 0x10
RTMGRP_IPV6_IFADDR = 0x100
RTMGRP_IPV4_ROUTE = 0x40
RTMGRP_IPV6_ROUTE = 0x400
RTM_NEWADDR = 20
RTM_NEWROUTE, RTM_DELROUTE = 24, 25
_GROUPS = (
    RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE
)
_PERMANENT = 0x80
_HEADER = struct.Struct("=IHHII")
_READS_PER_WAKE = 64


def _filter() -> list[Instruction]:
    """Of routes only the default ones: others come and go with every pod. The kernel writes the type of
    a message in its own byte order and reads it for the filter as the network's."""
    new, gone = (
        int.from_bytes(kind.to_bytes(2, sys.byteorder), "big")
        for kind in (RTM_NEWROUTE, RTM_DELROUTE)
    )
    steps: list[Step] = [
        (LD_H, 0, 0, 4),
        (JEQ, "route", "", new),
        (JEQ, "route", "keep", gone),
        (LD_B, 0, 0, 17),  # rtm_dst_len
        (JEQ, "keep", "", 0),
        (RET, 0, 0, 0),
        (RET, 0, 0, 0xFFFFFFFF),
    ]
    return resolve(steps, {"route": 3, "keep": 6})


class Monitor:
    """Calls back after changes; our own renewals of a VIP's lifetime are none."""

    def __init__(self, vips: Sequence[IPAddress], changed: Callable[[], None]) -> None:
        self._vips = tuple(vip.packed for vip in vips)
        self._changed = changed
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Subscribe; must be called in the event loop."""
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE
        )
        attach(self._socket, _filter())
        self._socket.bind((0, _GROUPS))
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)

    def close(self) -> None:
        """Unsubscribe."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _readable(self) -> None:
        if self._socket is None:
            return
        relevant = False
        with contextlib.suppress(BlockingIOError):
            for _ in range(_READS_PER_WAKE):
                try:
                    relevant |= self._relevant(self._socket.recv(65536))
                except BlockingIOError:
                    raise
                except OSError:
                    relevant = True
                    break
        if relevant:
            self._changed()

    def _relevant(self, data: bytes) -> bool:
        while len(data) >= _HEADER.size:
            length, kind, *_ = _HEADER.unpack_from(data)
            if length < _HEADER.size:
                return True
            message, data = data[_HEADER.size : length], data[(length + 3) & ~3 :]
            renewal = kind == RTM_NEWADDR and any(vip in message for vip in self._vips)
            if not renewal or (len(message) > 2 and message[2] & _PERMANENT):
                return True
        return False
