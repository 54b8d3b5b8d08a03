"""A disk on which writing things for good takes long: runs a program whose fsync(2) and fdatasync(2) wait.

    python -m vipkeeper.lab.troubles.slow_disk FILE WORDS...

FILE holds the seconds that each call takes; while it is missing they take what they take. One call waits
for the other, as on one disk. The kernel hands the calls over before it does them (seccomp_unotify(2)):
nothing is loaded into the program, which may do without libc as etcd does.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import platform
import signal
import socket
import struct
import sys
import time
from pathlib import Path

from vipkeeper.lab.kernel import die_with_parent

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SYNCS = {"x86_64": (74, 75), "aarch64": (82, 83)}
"""fsync and fdatasync (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h)."""
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
"""SECCOMP_IOCTL_NOTIF_RECV and _SEND (linux/seccomp.h)."""
_NOTIFICATION, _RESPONSE = 80, "=QqiI"
_CONTINUE = 1
_PR_SET_NO_NEW_PRIVS = 38


def _program(calls: tuple[int, ...]) -> bytes:
    """The filter (linux/filter.h): a call of these is handed over, any other is done."""
    load, equal, end = 0x20, 0x15, 0x06
    rows = [(load, 0, 0, 0)]
    rows += [(equal, len(calls) - at, 0, call) for at, call in enumerate(calls)]
    rows += [(end, 0, 0, _ALLOW), (end, 0, 0, _NOTIFY)]
    return b"".join(struct.pack("=HBBI", *row) for row in rows)


def _hand_over() -> int:
    """From now on this process and what it becomes hand their calls over; the descriptor they come from.

    Raises:
        OSError: the kernel cannot do that.
    """
    machine = platform.machine()
    if machine not in _SECCOMP:
        raise OSError(f"fsync cannot be made slow on {machine}")
    rows = _program(_SYNCS[machine])
    program = ctypes.create_string_buffer(rows, len(rows))
    header = struct.pack("@HxxxxxxQ", len(rows) // 8, ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    number, arguments = _SECCOMP[machine], (_SET_MODE_FILTER, _NEW_LISTENER)
    descriptor: int = libc.syscall(number, *arguments, ctypes.create_string_buffer(header))
    if descriptor < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "seccomp")
    return descriptor


def _serve(listener: int, delay: Path) -> None:
    """Let each call wait, one after the other, until no program is left that makes any."""
    while True:
        notification = bytearray(_NOTIFICATION)
        try:
            fcntl.ioctl(listener, _RECEIVE, notification)
        except InterruptedError:
            continue
        except OSError:
            return
        with contextlib.suppress(OSError, ValueError):
            time.sleep(float(delay.read_text()))
        call = struct.unpack_from("=Q", notification)[0]
        with contextlib.suppress(OSError):  # who called has ended meanwhile
            fcntl.ioctl(listener, _SEND, struct.pack(_RESPONSE, call, 0, 0, _CONTINUE))


def main() -> None:
    """Run the program in a child, and be as slow as its disk."""
    delay, words = Path(sys.argv[1]), sys.argv[2:]
    here, there = socket.socketpair()
    child = os.fork()
    if child == 0:
        die_with_parent()
        socket.send_fds(there, [b"1"], [_hand_over()])
        os.execvp(words[0], words)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    there.close()
    _, descriptors, _, _ = socket.recv_fds(here, 1, 1)
    if descriptors:
        _serve(descriptors[0], delay)
    _, status = os.waitpid(child, 0)
    raise SystemExit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
