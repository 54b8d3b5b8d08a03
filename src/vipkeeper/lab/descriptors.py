"""A daemon that can open nothing more: RLIMIT_NOFILE follows what it has open, and what needs another file fails."""

from __future__ import annotations

import itertools
import resource
from collections.abc import Iterable
from pathlib import Path

NOFILE = resource.RLIMIT_NOFILE


def take_last(pids: Iterable[int]) -> list[int]:
    """Leave these processes no free descriptor, also none that they have closed since; those that had one.

    A new descriptor takes the lowest free number (open(2)): what is above the limit stays what it is.
    """
    had = []
    for pid in pids:
        try:
            soft, hard = resource.prlimit(pid, NOFILE)
            taken = {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()}
            lowest = next(number for number in itertools.count() if number not in taken)
            if lowest < soft:
                resource.prlimit(pid, NOFILE, (lowest, hard))
                had.append(pid)
        except (ProcessLookupError, FileNotFoundError):
            continue  # it has ended
    return had


def give_back(pids: Iterable[int], limits: tuple[int, int]) -> None:
    """Let these processes open files again, up to the limits (soft, hard) they had before."""
    for pid in pids:
        try:
            resource.prlimit(pid, NOFILE, limits)
        except ProcessLookupError:
            continue
