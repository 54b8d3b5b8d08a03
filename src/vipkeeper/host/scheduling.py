"""Keeps the keeper on time: real-time scheduling, locked memory, no surprise collections."""

from __future__ import annotations

import ctypes
import gc
import os
from dataclasses import dataclass

PRIORITY = 50
"""Of a keeper that takes part."""
STARTING = 1
"""While it starts: above every ordinary program, below every one of a higher priority, which a start must not hold up."""
SCHED_RESET_ON_FORK = 0x40000000
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


@dataclass(frozen=True, slots=True)
class SchedulingReport:
    """What was granted, and why not where it was not."""

    realtime: str
    memory: str

    def __str__(self) -> str:
        return f"{self.realtime}; {self.memory}"


def prepare(priority: int = PRIORITY) -> SchedulingReport:
    """Ask for SCHED_FIFO and locked memory. Never fatal: the answer says what was refused."""
    return SchedulingReport(_realtime(priority), _lock_memory())


def freeze() -> None:
    """Call once everything is imported: what exists now is never collected again."""
    gc.collect()
    gc.freeze()


def _realtime(priority: int) -> str:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        if held := os.sched_getparam(0).sched_priority:
            return f"SCHED_FIFO {held}, {priority} refused ({error.strerror})"
        return f"real-time scheduling refused ({error.strerror})"
    return f"SCHED_FIFO {priority}"


def _lock_memory() -> str:
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0:
            return "memory locked"
    except (OSError, AttributeError):
        return "memory not locked (this C library has no mlockall)"
    return f"memory not locked ({os.strerror(ctypes.get_errno())})"
