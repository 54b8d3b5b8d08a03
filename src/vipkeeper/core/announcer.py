"""When to announce a claim: at once, after 50 ms, 200 ms and 1 s, then a refresh."""

from __future__ import annotations

from vipkeeper.core.types import MILLISECOND, SECOND, Duration, Instant

AFTER_CLAIM: tuple[Duration, ...] = (0, 50 * MILLISECOND, 200 * MILLISECOND, SECOND)
"""Some stacks ignore more than one gratuitous ARP a second, others miss the first: hence the spread."""
REFRESH_EVERY: Duration = 3 * SECOND
"""No server learns that clients alone were cut off while the VIP moved, or that one that held it unheard is gone for good."""
AGAIN_AT_MOST_EVERY: Duration = SECOND
"""A sign of another holder starts the schedule again, but not more often than this."""
SOON: Duration = 100 * MILLISECOND
"""Within that time the sign is answered once, after this: the last word of a conflict must be the holder's."""


class Announcer:
    """Keeps the schedule; the node sends."""

    def __init__(self) -> None:
        self._pending: list[Instant] = []
        self._started_at: Instant | None = None
        self._with_claim = False
        """False once only refreshes are left of the schedule."""

    def start(self, now: Instant) -> None:
        """A claim has just succeeded."""
        self._started_at = now
        self._pending = [now + offset for offset in AFTER_CLAIM]
        self._with_claim = True

    def again(self, now: Instant) -> None:
        """There is another holder, or may have been one: neighbours may have learnt its MAC."""
        if self._started_at is None:
            return
        if now - self._started_at >= AGAIN_AT_MOST_EVERY:
            self.start(now)
        elif not any(now <= at <= now + SOON for at in self._pending):
            self._pending = sorted([*self._pending, now + SOON])

    def stop(self) -> None:
        """The VIP is no longer here."""
        self._pending = []
        self._started_at = None

    def deadline(self) -> Instant | None:
        """When the next announcement is due."""
        return self._pending[0] if self._pending else None

    def due(self, now: Instant, *, quiet: bool) -> bool:
        """True when an announcement is due; it then counts as made.

        `quiet` leaves out the refresh. The rounds of a claim are always sent: without them clients
        would send to the dead holder's MAC until their neighbour entries expire.
        """
        if not self._pending or now < self._pending[0]:
            return False
        wanted = self._with_claim or not quiet
        self._pending = [at for at in self._pending if at > now]
        if not self._pending:
            self._pending = [now + REFRESH_EVERY]
            self._with_claim = False
        return wanted
