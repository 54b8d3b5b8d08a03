"""Whether this server hears anybody at all: the other servers, its gateway, whatever answers a probe.

A server that hears nobody cannot tell its own deafness from the death of all others. The gateway can:
while it answers, this server sends and receives. Without a gateway, or with one that has never
answered, nothing can be told and nothing is concluded (docs/protocol.md, "Deaf").
"""

from __future__ import annotations

from vipkeeper.core.types import SECOND, Duration, Instant
from vipkeeper.wire.types import IPAddress

ASKS_UNTIL_DEAF = 4
"""Unanswered questions to the gateway, with no other sound between them, that make a server deaf."""


ASK_GATEWAY_EVERY: Duration = 10 * SECOND
"""While all is well: often enough to know whether silence of the gateway would mean anything."""


class Hearing:
    """The last sound of anybody, the gateway, and what it was asked since."""

    def __init__(self) -> None:
        self.sound_at: Instant = 0
        """When anything at all was last received, or the daemon started."""
        self.gateway: IPAddress | None = None
        """Who is asked; None: nobody can be."""
        self.proven: IPAddress | None = None
        """The gateway that has answered under this boot of the host: its silence means something."""
        self._asked = 0
        self._ask_at: Instant | None = None
        """When to ask it again; None before it was asked at all: a late answer of an earlier gateway is
        not its answer."""

    def view(self, gateway: IPAddress | None) -> None:
        """The host's gateway as of now."""
        if gateway != self.gateway:
            self.gateway = gateway
            self._asked = 0
            self._ask_at = None

    @property
    def can_tell(self) -> bool:
        """True when the silence of the gateway would be told from that of all others."""
        return self.gateway is not None and self.gateway == self.proven

    @property
    def unanswered(self) -> int:
        """Questions to the gateway since anything was last received."""
        return self._asked

    def sound(self, now: Instant) -> None:
        """Something arrived: an advert, even one that is refused, or an answer to a probe."""
        self.sound_at = now
        self._asked = 0

    def gateway_answered(self) -> bool:
        """The gateway answered; True when it did for the first time."""
        if self._ask_at is None:
            return False
        first = self.proven != self.gateway
        self.proven = self.gateway
        return first

    def due(self, now: Instant) -> bool:
        """True when the gateway should be asked although nothing is wrong."""
        return self.gateway is not None and (self._ask_at is None or now >= self._ask_at)

    def gateway_asked(self, now: Instant) -> None:
        """The gateway was asked."""
        self._asked += 1
        self._ask_at = now + ASK_GATEWAY_EVERY

    def silent(self, now: Instant, at_least: Duration = 0) -> bool:
        """True when nothing was heard for at least this long, and the gateway was asked often enough."""
        return self._asked >= ASKS_UNTIL_DEAF and now - self.sound_at >= at_least
