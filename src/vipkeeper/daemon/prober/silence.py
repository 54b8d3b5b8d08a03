"""Tells a server that stands still from one that is slow: nothing of it for a while, on a host that had time for it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Set as AbstractSet
from typing import Any

DOUBT_AFTER = 0.5
"""Seconds without an answer after which a fresh connection is opened beside the question."""
STALLED_AFTER = 2.0
"""Seconds of silence after which nobody is taken to serve: without an answer, and the last ones without a handshake."""
ENOUGH = 0.5
"""Of this silence a server must have had a processor for so much: a handshake takes milliseconds of one."""
FRESH = 2.0
"""Seconds after which silence of one question says nothing of the next."""
STEP = 0.1
"""Seconds between two looks at our own lateness."""
SHORTEST = 0.01
"""Seconds of the last of these looks at least: a small share of a processor comes to what is left ever slower."""
LATE = 0.1
"""Seconds by which a wake-up may be late; on a host this starved silence says nothing about the server."""
_LOAD = "/proc/loadavg"


class StalledError(Exception):
    """A server neither answered nor shook hands for `STALLED_AFTER`."""


def share(load: bytes, processors: int) -> float:
    """What a task has of a processor just now if all that want to run take turns: above 0, at most 1.

    `load`: /proc/loadavg (proc(5)), whose fourth field has the tasks that are running or ready to; this process is
    one of them. Where it cannot be read there is enough for all.
    """
    found = re.match(rb"\S+ \S+ \S+ (\d{1,9})/", load)
    return min(1.0, processors / max(1, int(found[1]) - 1)) if found is not None else 1.0


def share_here() -> float:
    """What a task of this host has of a processor now."""
    try:
        with open(_LOAD, "rb") as file:
            # All processors, as the file counts the tasks of all: the prober alone may be kept to a few.
            return share(file.read(), os.cpu_count() or 1)
    except OSError:
        return 1.0


class Silence:
    """Counts silence from now on: while this process itself is on time, and whether a server could have run meanwhile."""

    def __init__(self, passed: float = 0.0, ran: float = 0.0) -> None:
        """Of the silence before: `passed`, its seconds; `ran`, for how many of them a task could have run."""
        self._passed = passed
        self._ran = ran

    def kept(self) -> Silence:
        """What a handshake begins with where there was silence before: never more than a doubt, so that each has the rest."""
        return Silence(min(self._passed, DOUBT_AFTER), min(self._ran, DOUBT_AFTER))

    async def reaches(self, seconds: float, awaited: AbstractSet[asyncio.Future[Any]]) -> bool:
        """Wait until that much silence was counted (true) or any of `awaited` is done (false)."""
        loop = asyncio.get_running_loop()
        while (left := max(seconds - self._passed, seconds * ENOUGH - self._ran)) > 0:
            step = min(STEP, max(SHORTEST, left))
            began = loop.time()
            done, _ = await asyncio.wait(awaited, timeout=step, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return False
            if loop.time() - began < step + LATE:
                self._passed += step
                self._ran += step * share_here()
        return True
