"""Kernel calls the standard library of Python 3.11 lacks: unshare(2), setns(2), mount(2), prctl(2), fallocate(2)."""

from __future__ import annotations

import ctypes
import enum
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NETNS_DIRECTORY = Path("/run/netns")
"""Where `ip netns add` leaves a handle of each named network namespace (ip-netns(8))."""

_PR_SET_PDEATHSIG = 1
_FALLOC_KEEP_SIZE, _FALLOC_PUNCH_HOLE = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace(enum.IntFlag):
    """Kinds of namespaces (linux/sched.h)."""

    MOUNT = 0x00020000
    UTS = 0x04000000
    USER = 0x10000000
    PID = 0x20000000
    NET = 0x40000000


class MountFlag(enum.IntFlag):
    """Flags of mount(2) (linux/mount.h)."""

    READ_ONLY = 1
    NOSUID = 2
    NODEV = 4
    NOEXEC = 8
    REMOUNT = 32
    BIND = 4096
    RECURSIVE = 16384
    PRIVATE = 1 << 18


def _check(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), what)


def unshare(kinds: Namespace) -> None:
    """Move this process into new namespaces (PID: its next child). OSError where not allowed."""
    _check(_libc.unshare(int(kinds)), "unshare")


def mount(source: str, target: str, kind: str | None, flags: MountFlag, options: str = "") -> None:
    """Mount a file system. OSError where not allowed."""
    arguments = (source.encode(), target.encode(), kind.encode() if kind else None)
    _check(_libc.mount(*arguments, ctypes.c_ulong(int(flags)), options.encode() or None), target)


def free_beginning(descriptor: int, length: int) -> None:
    """Give the first bytes of a file back to its file system; offsets stay, what is gone reads as zeros.

    Source: fallocate(2). OSError where the file system cannot do that.
    """
    mode = _FALLOC_KEEP_SIZE | _FALLOC_PUNCH_HOLE
    size = ctypes.c_int64
    _check(_libc.fallocate64(descriptor, mode, size(0), size(length)), "fallocate")


def die_with_parent() -> None:
    """From now on the end of the parent, however it ends, is SIGKILL for this process."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


@contextmanager
def inside(netns: str) -> Iterator[None]:
    """Be in a named network namespace for a while: sockets opened meanwhile stay in it.

    Raises:
        OSError: there is no such namespace.
    """
    before = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        target = os.open(NETNS_DIRECTORY / netns, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _check(_libc.setns(target, int(Namespace.NET)), netns)
        finally:
            os.close(target)
        try:
            yield
        finally:
            _check(_libc.setns(before, int(Namespace.NET)), "setns")
    finally:
        os.close(before)


def now() -> int:
    """Nanoseconds on CLOCK_BOOTTIME, the one clock of every record of the lab."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
