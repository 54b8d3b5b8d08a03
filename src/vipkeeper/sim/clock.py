"""A server's clock (CLOCK_BOOTTIME) as a function of the world's time."""

from __future__ import annotations

from vipkeeper.core.types import Instant

TRUE_RATE = 1000
"""Thousandths: one local nanosecond for one of the world's."""


class Clock:
    """Piecewise linear: a rate, and stretches in which it stands still (the machine is stunned)."""

    __slots__ = ("_local", "_world", "rate", "running")

    def __init__(self, world: Instant, local: Instant) -> None:
        self._world = world
        self._local = local
        self.rate = TRUE_RATE
        self.running = True

    def local(self, world: Instant) -> Instant:
        """What the clock shows at a time of the world not before its last change."""
        if not self.running:
            return self._local
        passed = world - self._world
        return self._local + (passed if self.rate == TRUE_RATE else passed * self.rate // TRUE_RATE)

    def world(self, local: Instant) -> Instant | None:
        """The first time of the world at which the clock shows this; None while it stands still."""
        if not self.running:
            return None
        left = local - self._local
        if self.rate == TRUE_RATE:
            return self._world + left
        return self._world - (-left * TRUE_RATE // self.rate)

    def change(
        self, world: Instant, *, rate: int | None = None, running: bool | None = None
    ) -> None:
        """From now on another rate, or standing still, or going on."""
        self._local = self.local(world)
        self._world = world
        if rate is not None:
            self.rate = rate
        if running is not None:
            self.running = running
