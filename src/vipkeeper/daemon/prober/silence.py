"""Tells a server that stands still from one that is slow: nothing of it for a while, and we ourselves were awake."""

from __future__ import annotations

import asyncio
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


class StalledError(Exception):
    """A server neither answered nor shook hands for `STALLED_AFTER`."""


class Silence:
    """Counts silence from now on, while this process itself is on time."""

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
            if loop.time() - began < step + LATE:
                self._counted += step
        return True
