"""What this server knows of the others: their adverts, freshness, health and rank."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from vipkeeper.core.told import Told
from vipkeeper.core.types import MILLISECOND, SECOND, Duration, Instant, Server, Settings
from vipkeeper.wire.types import SERVING, Advert, Health, Heard, IPAddress, Rejection, Role

OLD_BOOT_IDS_KEPT = 64
"""Earlier boot ids of a server whose adverts are refused as replays."""
AGE_UNKNOWN_FROM_MS = 65535
HOLDER, RESIGNED = Role.HOLDER, Role.RESIGNED
"""Here because a member of an enum is slow to look up in its class, and this module is asked at each advert."""
LONGEST_INTERVAL: Duration = 5 * SECOND
"""No server may ask for more patience than the configuration could give."""
NEVER_HEARD = Heard(0, None)

Claimant = tuple[int, Health, int]
"""Compared as tuples, greater wins."""
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
    interval: Duration = 0
    """Its advert interval or ours, whichever is longer."""
    suspect_after: Duration = 0
    """Silence of it that counts: F x interval. Intervals differ while a changed configuration is rolled out."""
    proven_now: bool = False
    """True after the first advert of a boot id: it does not know yet that this server heard it."""
    configuration_differs: bool = False
    vouched: Instant | None = None
    """When another server last heard it as a holder, directly, by our clock; never what a third one quoted."""
    unheard: Told = field(default_factory=Told)
    """Adverts in a row that it sent as a holder and that did not hear this server."""
    elsewhere: Told = field(default_factory=Told)
    """Adverts in a row that hear this server and follow another holder."""
    insisted: Instant | None = None
    """When this server last told it, outside the interval, that it holds the VIP too."""
    stranger_at: Instant | None = None
    """When its address last sent an advert that cannot be trusted, and none since that can."""
    entry: Heard = NEVER_HEARD
    """What this server's last advert said of it; most say the same again."""
    answered: Instant | None = None
    """When this server last answered it outside the interval."""
    silent_for: Duration | None = None
    """Silence before its last advert; None: that was the first."""
    doubtful: bool = False
    """It was silent for as long as a claim takes and has not said since that it follows nobody else."""
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
        """True when it does not keep itself from claiming, and has not just resigned."""
        advert = self.advert
        return advert is not None and not advert.standby and advert.role is not RESIGNED

    @property
    def alive_at(self) -> Instant | None:
        """When it was last heard, by this server or as a holder by another one."""
        last, vouched = self.last, self.vouched
        if last is None or (vouched is not None and vouched > last):
            return vouched
        return last

    @property
    def holds(self) -> bool:
        """As last advertised to this server."""
        return self.advert is not None and self.advert.role is HOLDER

    def replays(self, advert: Advert) -> bool:
        """True when this advert is not newer than what was accepted before."""
        before = self.advert
        if before is None:
            return False
        if advert.boot_id == before.boot_id:
            return advert.counter <= before.counter
        return advert.boot_id in self.old_boot_ids

    def take(self, advert: Advert, received: Instant, *, differs: bool) -> None:
        """Accept an advert."""
        before = self.advert
        self.proven_now = before is None or advert.boot_id != before.boot_id
        if before is not None and self.proven_now:
            self.old_boot_ids.append(before.boot_id)
        if advert.health not in SERVING:
            self.ready_since = None
        elif self.ready_since is None:
            self.ready_since = received
        self.advert = advert
        self.last = received
        self.received += 1
        self.stranger_at = None
        self.configuration_differs = differs


@dataclass(frozen=True, slots=True)
class Unproven:
    """An authentic advert of a boot id that has not yet shown that it hears this server's own.

    It may be a replay from an earlier run, so nothing it says is believed; somebody may be there.
    """

    member: Member
    boot_id: int


def rank(health: Health, index: int) -> Rank:
    """The rank of the server at this index of the configured order with this health."""
    return (health, -index)


def _table(settings: Settings) -> dict[IPAddress, Member]:
    interval, suspect_after = settings.advert_interval, settings.suspect_after
    return {
        server.address: Member(index, server, interval=interval, suspect_after=suspect_after)
        for index, server in enumerate(settings.servers)
        if index != settings.own
    }


class Members:
    """All other servers of the cluster."""

    def __init__(self, settings: Settings, boot_id: int) -> None:
        """`boot_id`: this server's own, the nonce that others prove themselves with."""
        self._settings = settings
        self._boot_id = boot_id
        self._by_address = _table(settings)
        self._members = list(self._by_address.values())
        self._by_index = {member.index: member for member in self}

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members)

    def reconfigured(self, settings: Settings) -> None:
        """Take new settings; servers that stay keep what is known of them."""
        known = self._by_address
        self._settings = settings
        self._by_address = _table(settings)
        for address, member in self._by_address.items():
            if address in known:
                old = known[address]
                old.index, old.server = member.index, member.server
                self._count_interval(old, old.advert)
                self._by_address[address] = old
        self._members = list(self._by_address.values())
        self._by_index = {member.index: member for member in self}

    def accept(
        self, source: IPAddress, advert: Advert, received: Instant
    ) -> Member | Unproven | Rejection:
        """Judge sender and freshness, and remember an advert that counts: its member then has it."""
        if source is not advert.sender and source != advert.sender:
            return Rejection.WRONG_SOURCE
        member = self._sender(source)
        if member is None:
            return Rejection.UNKNOWN_SENDER
        if member.replays(advert):
            return Rejection.REPLAYED
        before = member.advert
        new_run = before is None or before.boot_id != advert.boot_id
        if new_run and not self._echoes(advert):
            return Unproven(member, advert.boot_id)
        last = member.last
        if last is not None:
            received = max(received, last)
            member.silent_for = received - last
            if member.silent_for > member.suspect_after:
                member.ready_since = None
        if before is None or before.interval_ms != advert.interval_ms:
            self._count_interval(member, advert)
        member.take(advert, received, differs=advert.cluster != self._settings.cluster)
        return member

    def _sender(self, source: IPAddress) -> Member | None:
        """In the simulator the very object of the settings; an address is slow to hash."""
        for address, member in self._by_address.items():
            if address is source:
                return member
        return self._by_address.get(source)

    def _count_interval(self, member: Member, advert: Advert | None) -> None:
        own = self._settings.advert_interval
        theirs = advert.interval_ms * MILLISECOND if advert is not None else own
        member.interval = min(max(own, theirs), LONGEST_INTERVAL)
        member.suspect_after = self._settings.profile.suspect_factor * member.interval

    def _own_entry(self, advert: Advert) -> Heard | None:
        own, heard = self._settings.own, advert.heard
        if own < len(heard) and heard[own].boot_id == self._boot_id:
            return heard[own]
        # A server with another list of servers has this one at another place.
        return next((entry for entry in heard if entry.boot_id == self._boot_id), None)

    def _echoes(self, advert: Advert) -> bool:
        """True when the sender has heard this run of this server: no replay from before could say so."""
        return self._own_entry(advert) is not None

    def hears_us(self, member: Member) -> bool:
        """True when its last advert says that it heard this server within the suspect time."""
        entry = self._own_entry(member.advert) if member.advert is not None else None
        if entry is None or entry.age_ms is None:
            return False
        return entry.age_ms * MILLISECOND <= member.suspect_after

    def _told_of(self, member: Member) -> tuple[Member, Duration] | None:
        """The other holder that a server's last advert says it hears directly, and the age of that."""
        advert = member.advert
        place = advert.follows if advert is not None else None
        if advert is None or place is None or member.configuration_differs:
            return None
        holder = self._by_index.get(place)
        if holder is None or holder is member or place >= len(advert.heard):
            return None
        age = advert.heard[place].age_ms
        return None if age is None else (holder, age * MILLISECOND)

    def vouched_by(self, member: Member) -> Member | None:
        """Take what a server's advert says of the holder it hears directly; that holder, if any.

        An advert quotes only what its sender heard itself, with its age: hearsay cannot refresh itself.
        """
        told = self._told_of(member)
        if told is None or member.last is None:
            return None
        holder, age = told
        heard_at = member.last - age
        if holder.vouched is None or heard_at > holder.vouched:
            holder.vouched = heard_at
        return holder

    def vouched_newer(self, member: Member, now: Instant) -> bool:
        """True when another server heard it as a holder lately, and after this server did.

        Both hear the same advert within moments; only half an interval more is another advert.
        """
        if member.vouched is None or now - member.vouched >= member.suspect_after:
            return False
        return member.last is None or member.vouched > member.last + member.interval // 2

    def named(self, name: str) -> Member | None:
        """The other server with this name."""
        return next((m for m in self if m.server.name == name), None)

    def at(self, index: int) -> Member | None:
        """The other server at this place of the configured order."""
        return self._by_index.get(index)

    def live(self, member: Member, now: Instant) -> bool:
        """True when it was heard within the suspect time."""
        return member.last is not None and now - member.last < member.suspect_after

    def any_live(self, now: Instant) -> bool:
        """True when at least one other server is heard."""
        for member in self._members:
            if member.last is not None and now - member.last < member.suspect_after:
                return True
        return False

    def candidates(self, now: Instant) -> list[Member]:
        """Live servers that may claim, best rank first."""
        found = [m for m in self if self.live(m, now) and m.may_claim]
        return sorted(found, key=lambda m: m.rank, reverse=True)

    def has_successor(self, now: Instant) -> bool:
        """True when some candidate hears this server."""
        return any(self.live(m, now) and self.would_succeed(m) for m in self)

    def would_succeed(self, member: Member) -> bool:
        """True when it may claim, and hears this server: else it would never learn that it shall."""
        return member.may_claim and self.hears_us(member)

    def successors(self, now: Instant) -> list[Member]:
        """Candidates that hear this server, best rank first: only they would learn of a resignation."""
        return [m for m in self.candidates(now) if self.hears_us(m)]

    def others_ahead(self, health: Health, now: Instant, *, besides: tuple[Member, ...]) -> int:
        """How many live candidates outrank this server (with this health), `besides` left out."""
        own = rank(health, self._settings.own)
        return sum(1 for m in self.candidates(now) if m.rank > own and m not in besides)

    def stranger(self, now: Instant) -> bool:
        """True when a listed server sends adverts that cannot be trusted: somebody is there."""
        return any(
            m.stranger_at is not None and now - m.stranger_at <= m.suspect_after for m in self
        )

    def others_agree(self, holder: Member, since: Instant, now: Instant) -> bool:
        """True when there are live servers besides this holder, and each has said since then that it
        heard nothing of the holder that this server did not hear."""
        others = [
            m for m in self if m is not holder and not m.configuration_differs and self.live(m, now)
        ]
        if self.vouched_newer(holder, now):
            return False
        return bool(others) and all(m.last is not None and m.last > since for m in others)

    def witnessed(self, member: Member) -> Member | None:
        """The other holder that a server follows although it hears this one; None when there is none.

        It hears both, so it has compared them: the newer epoch, then the better rank.
        """
        told = self._told_of(member)
        if told is None or not self.hears_us(member):
            return None
        holder, age = told
        return holder if age <= holder.suspect_after else None

    def follows(self, now: Instant) -> int | None:
        """The server whose adverts as a holder this server got itself: the newest claim, a live one first."""
        holders = [m for m in self._members if m.holds]
        live = self.latest_holder(now) if holders else None
        if live is not None:
            return live.index
        return max(holders, key=self.claim_of).index if holders else None

    def last_known_candidate(self) -> Member | None:
        """The best of those that were heard at all and may claim: for a holder that hears nobody now."""
        return max((m for m in self if m.may_claim), key=lambda m: m.rank, default=None)

    @staticmethod
    def hears_nobody(advert: Advert, within: Duration) -> bool:
        """True when the sender has heard no server for that long."""
        ages = [entry.age_ms for entry in advert.heard if entry.age_ms is not None]
        return all(age * MILLISECOND > within for age in ages)

    def heard(self, now: Instant) -> tuple[Heard, ...]:
        """What this server hears directly, in configured order, for its own adverts."""
        entries = [NEVER_HEARD] * len(self._settings.servers)
        for member in self._members:
            advert, last, entry = member.advert, member.last, member.entry
            if advert is not None and last is not None:
                age = -((last - now) // MILLISECOND) if now > last else 0
                known = age if age < AGE_UNKNOWN_FROM_MS else None
                if entry.age_ms != known or entry.boot_id != advert.boot_id:
                    entry = member.entry = Heard(advert.boot_id, known)
                entries[member.index] = entry
        return tuple(entries)

    def latest_holder(self, now: Instant) -> Member | None:
        """The live server that advertises the newest claim; ties go to the better rank."""
        holders = [m for m in self._members if m.holds and self.live(m, now)]
        if len(holders) < 2:
            return holders[0] if holders else None
        return max(holders, key=self.claim_of)

    def claim_of(self, member: Member) -> Claimant:
        """What two holders are compared by: the newer epoch, then health, then the order of servers."""
        epoch = member.advert.epoch if member.advert is not None else 0
        return (epoch, member.health, self._place(member.index, member.server.address))

    def own_claim(self, epoch: int, health: Health) -> Claimant:
        """The same of this server."""
        own = self._settings.own
        return (epoch, health, self._place(own, self._settings.servers[own].address))

    def _place(self, index: int, address: IPAddress) -> int:
        """Greater is better. Where lists of servers differ, what all see alike: the lower address."""
        differ = any(member.configuration_differs for member in self)
        return -int(address) if differ else -index
