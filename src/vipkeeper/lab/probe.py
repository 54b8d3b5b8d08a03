"""What the lab's probes have in common: an absolute schedule, their own lateness, kernel time stamps."""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import sys
import time

from vipkeeper.lab.kernel import now
from vipkeeper.lab.records import Kind, Record, encode

# The socket module has no names for these (asm-generic/socket.h, SO_TIMESTAMPNS_OLD).
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@ll")
STAMP_ROOM = socket.CMSG_SPACE(_TIMESPEC.size)
"""Bytes to ask recvmsg for, so that the time stamp fits."""
_PRIORITY = 2
"""Above everything of normal priority, below any daemon that takes real-time scheduling seriously."""
_WRITE_EVERY = 10_000_000
_LATE_US = 5_000
"""A wake-up later than this is written down."""


class Journal:
    """Writes records to stdout, some milliseconds' worth at a time."""

    def __init__(self, late: Kind = Kind.LATE) -> None:
        """`late`: what a wake-up that is late is written down as."""
        self._kind = late
        self._waiting: list[bytes] = []
        self._written = now()
        self._worst = 0

    def note(self, kind: Kind, at: int, number: int = 0, text: str = "") -> None:
        """Add a record."""
        self._waiting.append(encode(Record(kind, at, number, text)))

    def woke(self, due: int) -> None:
        """Say that something due then is being done now; how late is recorded where it is much or a new worst."""
        at = now()
        late = (at - due) // 1000
        if late > min(self._worst, _LATE_US):
            self._worst = max(self._worst, late)
            self.note(self._kind, at, late)

    def write(self, *, force: bool = False) -> None:
        """Hand on what has gathered, when it is time."""
        if self._waiting and (force or now() - self._written >= _WRITE_EVERY):
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._written = now()
            while data:
                data = data[os.write(sys.stdout.fileno(), data) :]


class Schedule:
    """Due every `interval` nanoseconds, counted from the start: lateness does not add up."""

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self.due = now() + interval

    def passed(self) -> int | None:
        """The time this turn was due, if it is; missed turns are left out, not made up for."""
        at = now()
        if at < self.due:
            return None
        due = self.due
        self.due += self.interval * max(1, (at - due) // self.interval)
        return due

    @property
    def wait_ms(self) -> float:
        """Milliseconds until it is due."""
        return max(0.0, (self.due - now()) / 1e6)


def wait(poll: select.epoll, *schedules: Schedule) -> list[tuple[int, int]]:
    """Wait for a file descriptor or the next turn, whichever comes first."""
    return poll.poll(min(s.wait_ms for s in schedules) / 1000)


def stamp_arrivals(receiver: socket.socket) -> None:
    """Ask the kernel to note when each packet arrives."""
    receiver.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


def arrival(controls: list[tuple[int, int, bytes]]) -> int:
    """When the kernel received the packet, on our clock; now, where it did not say.

    The kernel stamps by the wall clock; the distance between the clocks is taken at reading, so that a
    step of the wall clock harms at most the packets in the queue.
    """
    for level, kind, data in controls:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data[: _TIMESPEC.size])
            return int(seconds * 1_000_000_000 + nanoseconds + now() - time.time_ns())
    return now()


def prefer(priority: int = _PRIORITY) -> bool:
    """Ask for real-time scheduling; whether it was granted."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError:
        return False
    return True


def end_quietly() -> None:
    """Let SIGTERM and SIGINT end the process without a word."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
