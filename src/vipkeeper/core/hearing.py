"""Whether this server hears anybody at all: the other servers, its gateway, whatever answers a probe.

A server that hears nobody cannot tell its own deafness from the death of all others. The gateway can:
while it answers, this server sends and receives. Without a gateway nothing can be told, and nothing is
concluded (docs/protocol.md, "Deaf").
"""

from __future__ import annotations

from vipkeeper.core.types import Duration, Instant

ASKS_UNTIL_DEAF = 4
"""Unanswered questions to the gateway, with no other sound between them, that make a server deaf."""


class Hearing:
    """The last sound of anybody, and what the gateway was asked since."""

    def __init__(self) -> None:
        self.sound_at: Instant = 0
        """When anything at all was last received, or the daemon started."""
        self._asked = 0

    def sound(self, now: Instant) -> None:
        """Something arrived: an advert, even one that is refused, or an answer to a probe."""
        self.sound_at = now
        self._asked = 0

    def gateway_asked(self) -> None:
        """The gateway was asked."""
        self._asked += 1

    def silent(self, now: Instant, at_least: Duration = 0) -> bool:
        """True when nothing was heard for at least this long, and the gateway was asked often enough."""
        return self._asked >= ASKS_UNTIL_DEAF and now - self.sound_at >= at_least
