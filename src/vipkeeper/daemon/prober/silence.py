"""Tells a server that stands still from one that is slow: nothing of it for a while, on a host that had time for it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Set as AbstractSet
from typing import Any

DOUBT_AFTER = 1.0
"""Seconds without an answer after which a fresh connection is opened beside the question."""
STALLED_AFTER = 2.0
"""Seconds without an answer and without a handshake after which nobody is taken to serve."""
STEP = 0.1
"""Seconds between two looks at our own lateness."""
LATE = 0.1
"""Seconds by which a wake-up may be late; on a host this starved silence says nothing about the server."""
_LOAD = "/proc/loadavg"


class StalledError(Exception):
    """A server neither answered nor shook hands for `STALLED_AFTER`."""


def starved(load: bytes, processors: int) -> bool:
    """Whether more tasks than processors want to run just now, so that a server may be waiting for its turn.

    `load`: /proc/loadavg (proc(5)), whose fourth field has the tasks that are running or ready to; this process is
    one of them. What cannot be read starves nobody.
    """
    found = re.match(rb"\S+ \S+ \S+ (\d{1,9})/", load)
    return found is not None and int(found[1]) - 1 > processors


def host_starved() -> bool:
    """Whether this host is starved now."""
    try:
        with open(_LOAD, "rb") as file:
            # All processors, as the file counts the tasks of all: the prober alone may be kept to a few.
            return starved(file.read(), os.cpu_count() or 1)
    except OSError:
        return False


class Silence:
    """Counts silence from now on, while this process itself is on time and the host has processors to spare."""

    def __init__(self) -> None:
        self._counted = 0.0

    async def reaches(self, seconds: float, awaited: AbstractSet[asyncio.Future[Any]]) -> bool:
        """Wait until that much silence was counted (true) or any of `awaited` is done (false)."""
        loop = asyncio.get_running_loop()
        while self._counted < seconds:
            step = min(STEP, seconds - self._counted)
            began = loop.time()
            done, _ = await asyncio.wait(awaited, timeout=step, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return False
            if loop.time() - began < step + LATE and not host_starved():
                self._counted += step
        return True
