"""A client of the VIP with the neighbour cache of Linux: who serves it is what that cache says.

Timings are those of Linux (Documentation/networking/ip-sysctl.rst: base_reachable_time 30 s,
delay_first_probe_time 5 s, retrans_time 1 s, 3 unicast probes). The client asks the VIP all the time, so
a dead entry turns STALE, DELAY, PROBE and is then resolved anew; a gratuitous ARP changes it at once.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from vipkeeper.core.types import SECOND, Duration, Instant

REACHABLE: Duration = 30 * SECOND
DELAY_FIRST_PROBE: Duration = 5 * SECOND
RETRANSMIT: Duration = SECOND
PROBES = 3


class Client:
    """Its cache entry of the VIP. `resolve` asks on the wire who answers first; None: nobody."""

    def __init__(
        self,
        rng: random.Random,
        at: Callable[[Instant, Callable[[object], None], object], None],
        serves: Callable[[int], bool],
        resolve: Callable[[], int | None],
        told: Callable[[int | None], None],
    ) -> None:
        self.server: int | None = None
        """Place of the end whose MAC the entry has."""
        self.served: int | None = None
        self._rng = rng
        self._at = at
        self._serves = serves
        self._resolve = resolve
        self._told = told
        self._timer = 0
        self._waiting = False

    def look(self, now: Instant) -> None:
        """Something changed on the way to the VIP or behind it."""
        served = self.server if self.server is not None and self._serves(self.server) else None
        if served is not None:
            self._timer += 1
            self._waiting = False
        elif not self._waiting:
            self._waiting = True
            self._timer += 1
            patience = 0 if self.server is None else self._patience()
            self._at(now + patience, self._give_up, (self._timer, now + patience))
        if served != self.served:
            self.served = served
            self._told(served)

    def announced(self, server: int, now: Instant) -> None:
        """A gratuitous ARP arrived."""
        if server != self.server:
            self.server = server
            self._waiting = False
        self.look(now)

    def _patience(self) -> Duration:
        reachable = int(REACHABLE * self._rng.uniform(0.5, 1.5))
        return reachable + DELAY_FIRST_PROBE + PROBES * RETRANSMIT

    def _give_up(self, token: object) -> None:
        """The unicast probes failed: ask everybody, once a second."""
        assert isinstance(token, tuple)
        timer, now = token
        if timer != self._timer:
            return
        self.server = self._resolve()
        self._waiting = False
        if self.server is None:
            self._waiting = True
            self._timer += 1
            at = now + RETRANSMIT
            self._at(at, self._give_up, (self._timer, at))
            if self.served is not None:
                self.served = None
                self._told(None)
            return
        self.look(now)
