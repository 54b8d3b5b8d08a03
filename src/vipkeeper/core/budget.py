"""The move budget: a server that claims too often holds back, so that a flapping cluster comes to rest."""

from __future__ import annotations

from collections import deque

from vipkeeper.core.types import Instant, Settings

KEPT = 1024
"""More claims in a window than any configuration allows."""


class MoveBudget:
    """This server's claims of the last ten minutes.

    Not charged: a claim that an operator asked for, and one of a VIP that nobody held.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._claims: deque[Instant] = deque(maxlen=KEPT)

    def reconfigured(self, settings: Settings) -> None:
        """Take new settings."""
        self._settings = settings

    def charge(self, now: Instant) -> None:
        """A claim was made that counts."""
        self._claims.append(now)

    def spent(self, now: Instant) -> bool:
        """True while this server must hold back. Never in a cluster of one: there is nobody else."""
        budget = self._settings.move_budget
        if not self._claims or budget == 0 or len(self._settings.servers) == 1:
            return False
        while self._claims and now - self._claims[0] >= self._settings.move_window:
            self._claims.popleft()
        return len(self._claims) >= budget
