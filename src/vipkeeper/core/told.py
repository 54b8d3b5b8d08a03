"""Counts what a server goes on saying, so that no single advert decides."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.core.types import Duration, Instant


@dataclass(slots=True)
class Told:
    """How many adverts in a row say the same. Those read within half an interval, after a stall of this
    server or of a wire, count once: they are the word of one moment, and perhaps of one long gone."""

    times: int = 0
    counted: Instant = 0
    """When the last one that counts was read."""

    def take(self, now: Instant, interval: Duration, *, said: bool) -> None:
        """One more advert says so, or does not."""
        if not said:
            self.times = 0
        elif self.times == 0 or now - self.counted >= interval // 2:
            self.times += 1
            self.counted = now
