"""What this server knows of the others: their adverts, freshness, health and rank."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from vipkeeper.core.types import MILLISECOND, SECOND, Duration, Instant, Server, Settings
from vipkeeper.wire.types import Advert, Health, Heard, IPAddress, Rejection, Role

OLD_BOOT_IDS_KEPT = 8
"""Earlier boot ids of a server whose adverts are refused as replays."""
AGE_UNKNOWN_FROM_MS = 65535

LONGEST_INTERVAL: Duration = 5 * SECOND
"""No server may ask for more patience than the configuration could give."""

Rank = tuple[Health, int]
"""Compared as tuples, greater is better: health first, then the configured order (earlier is better)."""


@dataclass(slots=True)
class Member:
    """One other server."""

    index: int
    server: Server
    advert: Advert | None = None
    """Its last accepted advert."""
    last: Instant | None = None
    """When the kernel received it."""
    ready_since: Instant | None = None
    """Start of the present unbroken stretch of readiness as its adverts tell it."""
    received: int = 0
    configuration_differs: bool = False
    old_boot_ids: deque[int] = field(default_factory=lambda: deque(maxlen=OLD_BOOT_IDS_KEPT))

    @property
    def health(self) -> Health:
        """As last advertised."""
        return self.advert.health if self.advert is not None else Health.UNKNOWN

    @property
    def rank(self) -> Rank:
        """Greater is better."""
        return rank(self.health, self.index)

    @property
    def may_claim(self) -> bool:
        """True when it does not keep itself from claiming."""
        return self.advert is not None and not self.advert.standby

    def replays(self, advert: Advert) -> bool:
        """True when this advert is not newer than what was accepted before."""
        if self.advert is None:
            return False
        if advert.boot_id == self.advert.boot_id:
            return advert.counter <= self.advert.counter
        return advert.boot_id in self.old_boot_ids

    def take(self, advert: Advert, received: Instant, *, differs: bool) -> None:
        """Accept an advert."""
        if self.advert is not None and advert.boot_id != self.advert.boot_id:
            self.old_boot_ids.append(self.advert.boot_id)
        if not advert.health.serves:
            self.ready_since = None
        elif self.ready_since is None:
            self.ready_since = received
        self.advert = advert
        self.last = received
        self.received += 1
        self.configuration_differs = differs


def rank(health: Health, index: int) -> Rank:
    """The rank of the server at this index of the configured order with this health."""
    return (health, -index)


def _table(settings: Settings) -> dict[IPAddress, Member]:
    return {
        server.address: Member(index, server)
        for index, server in enumerate(settings.servers)
        if index != settings.own
    }


class Members:
    """All other servers of the cluster."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._by_address = _table(settings)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._by_address.values())

    def reconfigured(self, settings: Settings) -> None:
        """Take new settings; servers that stay keep what is known of them."""
        known = self._by_address
        self._settings = settings
        self._by_address = _table(settings)
        for address, member in self._by_address.items():
            if address in known:
                old = known[address]
                old.index, old.server = member.index, member.server
                self._by_address[address] = old

    def accept(self, source: IPAddress, advert: Advert, received: Instant) -> Member | Rejection:
        """Judge sender and freshness, and remember the advert."""
        if source != advert.sender:
            return Rejection.WRONG_SOURCE
        member = self._by_address.get(source)
        if member is None:
            return Rejection.UNKNOWN_SENDER
        if member.replays(advert):
            return Rejection.REPLAYED
        if member.last is not None:
            received = max(received, member.last)
        if member.last is not None and received - member.last > self.suspect_after(member):
            member.ready_since = None
        member.take(advert, received, differs=advert.cluster != self._settings.cluster)
        return member

    def named(self, name: str) -> Member | None:
        """The other server with this name."""
        return next((m for m in self if m.server.name == name), None)

    def live(self, member: Member, now: Instant) -> bool:
        """True when it was heard within the suspect time."""
        return member.last is not None and now - member.last <= self.suspect_after(member)

    def suspect_after(self, member: Member) -> Duration:
        """Silence of this server that counts: F x interval, by its own interval where that is longer.

        Intervals differ while a changed configuration is rolled out.
        """
        own = self._settings.advert_interval
        theirs = member.advert.interval_ms * MILLISECOND if member.advert is not None else own
        return self._settings.profile.suspect_factor * min(max(own, theirs), LONGEST_INTERVAL)

    def any_live(self, now: Instant) -> bool:
        """True when at least one other server is heard."""
        return any(self.live(member, now) for member in self)

    def candidates(self, now: Instant) -> list[Member]:
        """Live servers that may claim, best rank first."""
        found = [m for m in self if self.live(m, now) and m.may_claim]
        return sorted(found, key=lambda m: m.rank, reverse=True)

    def others_ahead(self, health: Health, now: Instant, *, besides: Member | None) -> int:
        """How many live candidates outrank this server (with this health), `besides` left out."""
        own = rank(health, self._settings.own)
        return sum(1 for m in self.candidates(now) if m is not besides and m.rank > own)

    def heard(self, now: Instant) -> tuple[Heard, ...]:
        """What this server hears directly, in configured order, for its own adverts."""
        entries = [Heard(0, None)] * len(self._settings.servers)
        for member in self:
            if member.advert is not None and member.last is not None:
                age = (now - member.last) // MILLISECOND
                entries[member.index] = Heard(
                    member.advert.boot_id, max(0, age) if age < AGE_UNKNOWN_FROM_MS else None
                )
        return tuple(entries)

    def latest_holder(self, now: Instant) -> Member | None:
        """The live server that advertises the newest claim; ties go to the better rank."""
        holders = [
            (m.advert.epoch, m.rank, m)
            for m in self
            if m.advert is not None and m.advert.role is Role.HOLDER and self.live(m, now)
        ]
        return max(holders, key=lambda entry: entry[:2])[2] if holders else None
