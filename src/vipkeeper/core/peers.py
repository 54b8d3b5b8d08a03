"""The `peers` election, waiting side: who holds, since when silent, and when to claim.

Silence of the holder makes it *suspect*. Then the VIP itself is asked on the wire every 15 ms:

* nothing answers within the confirm budget B: claim (better-ranked candidates first, 60 ms a rank);
* it answers (ARP and a unicast echo): *holdoff*. The holder's daemon is dead or frozen but its kernel
  still serves under its lease; wait until 12 probes in a row stay unanswered, then claim;
* only ARP answers (a fabric that answers for the dead): holdoff of at most T_L = L + 1 s.

This class keeps no address and sends nothing; `core.node` does what it decides. The other evidence
channels, the deaf rules and the move budget have their place in `_suspect_step`.
"""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.core.actions import Cause, State
from vipkeeper.core.events import Channel
from vipkeeper.core.members import Member, Members
from vipkeeper.core.types import MILLISECOND, Duration, Instant, Settings
from vipkeeper.wire.types import Health, Role

PROBE_EVERY: Duration = 15 * MILLISECOND
PROBES_UNTIL_STOPPED = 12
"""Unanswered probes in a row after which a VIP that answered counts as stopped."""
MACS_KEPT = 8
RANK_DELAY: Duration = 60 * MILLISECOND
"""How much later each next-ranked server claims."""


@dataclass(frozen=True, slots=True)
class Change:
    """The waiting side enters another state; CLAIM means: claim the VIP now."""

    state: State
    cause: Cause
    peer: str | None = None


class PeersElection:
    """Watches the holder while this server does not hold."""

    def __init__(self, settings: Settings, members: Members) -> None:
        self._settings = settings
        self._members = members
        self.state = State.LISTEN
        self.holder: Member | None = None
        """The server this one follows."""
        self.suspected_at: Instant | None = None
        self._listen_until: Instant = 0
        self._patience_until: Instant = 0
        self._cause = Cause.FIRST_CLAIM
        self._claim_not_before: Instant = 0
        self._stepped_at: Instant = 0
        self._left: Member | None = None
        self._probe_at: Instant | None = None
        self._unanswered = 0
        self._arp_answered = False
        self._echo_at: Instant | None = None
        self.answering_macs: set[bytes] = set()
        """Who answered for the VIP since it was last suspected, at most MACS_KEPT of them."""

    def reconfigured(self, settings: Settings) -> None:
        """Take new settings."""
        self._settings = settings

    def deadline(self) -> Instant | None:
        """When `tick` must be asked again."""
        match self.state:
            case State.LISTEN:
                return self._listen_until
            case State.BACKUP:
                return self._silent_at()
            case State.SUSPECT if self._claim_not_before > self._stepped_at:
                return min(self._probe_at or self._claim_not_before, self._claim_not_before)
            case State.SUSPECT | State.HOLDOFF:
                return self._probe_at
            case _:
                return None

    def listen(self, now: Instant, cause: Cause) -> Change:
        """Begin anew: hear first, claim later."""
        self._stop_probing()
        self.holder = None
        self.state = State.LISTEN
        self._listen_until = now + self._settings.suspect_after
        return Change(State.LISTEN, cause)

    def follow(self, holder: Member, cause: Cause) -> Change:
        """Watch this holder."""
        self._stop_probing()
        self.holder = holder
        self.state = State.BACKUP
        return Change(State.BACKUP, cause, holder.server.name)

    def wait(self, now: Instant, cause: Cause, not_before: Instant | None = None) -> Change:
        """Watch for whoever claims next; nobody is followed. Suspicious at `not_before` at the earliest."""
        self._stop_probing()
        self.holder = None
        self.state = State.BACKUP
        self._patience_until = (
            not_before if not_before is not None else now + self._settings.suspect_after
        )
        return Change(State.BACKUP, cause)

    def late(self, now: Instant) -> None:
        """This daemon ran late by more than an interval: its silence proves nothing yet."""
        self._patience_until = now + self._settings.advert_interval
        if self.state is State.SUSPECT:
            self.suspected_at = now
            self._claim_not_before = now + self._settings.confirm_budget

    def heard(self, member: Member, now: Instant) -> Change | None:
        """An advert of this member was accepted while this server does not hold."""
        advert = member.advert
        if advert is None:
            return None
        if advert.role is Role.HOLDER:
            return self._heard_holder(member, now)
        if self.holder is member and self.state is State.BACKUP:
            self.holder = None
            return self._suspect(now, Cause.HOLDER_RESIGNED, member)
        return None

    def resigned(
        self, member: Member, now: Instant, *, named: Member | None, me: bool
    ) -> Change | None:
        """The holder has released and named its successor (`me`: this server; `named`: another)."""
        if self.state not in (State.BACKUP, State.SUSPECT, State.HOLDOFF):
            return None
        if self.holder is not None and self.holder is not member:
            return None
        self.holder = None
        if me:
            self._stop_probing()
            return Change(State.CLAIM, Cause.NAMED_SUCCESSOR, member.server.name)
        grace = RANK_DELAY if named is not None else 0
        return self._suspect(now, Cause.HOLDER_RESIGNED, member, claim_after=grace)

    def answered(self, channel: Channel, mac: bytes, now: Instant) -> Change | None:
        """Another host answered a probe of the VIP."""
        if self.state not in (State.SUSPECT, State.HOLDOFF):
            return None
        if len(self.answering_macs) < MACS_KEPT:
            self.answering_macs.add(mac)
        self._unanswered = 0
        self._arp_answered = True
        if channel is not Channel.ECHO:
            return None
        self._echo_at = now
        if self.state is State.SUSPECT:
            self.state = State.HOLDOFF
            return Change(State.HOLDOFF, Cause.VIP_ANSWERS)
        return None

    def tick(self, now: Instant, own_health: Health) -> Change | None:
        """Look at what is due. CLAIM in the answer means: claim now."""
        match self.state:
            case State.LISTEN if now >= self._listen_until:
                return self._suspect(now, Cause.FIRST_CLAIM, None)
            case State.BACKUP if now >= self._silent_at():
                return self._suspect(now, Cause.HOLDER_SILENT, self.holder)
            case State.SUSPECT:
                return self._suspect_step(now, own_health)
            case State.HOLDOFF:
                return self._holdoff_step(now, own_health)
            case _:
                return None

    def probe_sent(self, now: Instant) -> None:
        """The node has sent a round of probes."""
        self._unanswered += 1
        self._probe_at = now + PROBE_EVERY

    def probe_due(self, now: Instant) -> bool:
        """True when a round of probes is due."""
        return self._probe_at is not None and now >= self._probe_at

    def _heard_holder(self, member: Member, now: Instant) -> Change | None:
        if self.holder is member and self.state is State.BACKUP:
            return None
        newest = self._members.latest_holder(now) or member
        if newest is self.holder and self.state is State.BACKUP:
            return None
        return self.follow(newest, Cause.HOLDER_HEARD)

    def _silent_at(self) -> Instant:
        holder = self.holder
        if holder is None or holder.last is None:
            return self._patience_until
        return max(holder.last + self._members.suspect_after(holder), self._patience_until)

    def _suspect(
        self, now: Instant, cause: Cause, member: Member | None, claim_after: Duration | None = None
    ) -> Change:
        self.state = State.SUSPECT
        self.suspected_at = now
        self._cause = cause
        self._left = member
        wait = self._settings.confirm_budget if claim_after is None else claim_after
        self._claim_not_before = now + wait
        self._probe_at = now
        self._unanswered = 0
        self._arp_answered = False
        self._echo_at = None
        self.answering_macs = set()
        return Change(State.SUSPECT, cause, member.server.name if member else None)

    def _suspect_step(self, now: Instant, own_health: Health) -> Change | None:
        self._stepped_at = now
        if now < self._claim_not_before + self._rank_delay(now, own_health):
            return None
        if self._arp_answered:
            self.state = State.HOLDOFF
            return Change(State.HOLDOFF, Cause.VIP_ANSWERS)
        return self._claim(self._cause)

    def _holdoff_step(self, now: Instant, own_health: Health) -> Change | None:
        last_alive = self._echo_at if self._echo_at is not None else self.suspected_at
        if last_alive is not None and now >= last_alive + self._settings.unconditional_after:
            return self._claim(Cause.UNCONDITIONAL)
        ahead = self._rank_delay(now, own_health) // PROBE_EVERY
        if self._unanswered >= PROBES_UNTIL_STOPPED + ahead and self.probe_due(now):
            return self._claim(Cause.LEASE_LAPSED_ELSEWHERE)
        return None

    def _rank_delay(self, now: Instant, own_health: Health) -> Duration:
        ahead = self._members.others_ahead(own_health, now, besides=self._left)
        return RANK_DELAY * ahead

    def _claim(self, cause: Cause) -> Change:
        peer = self._left.server.name if self._left is not None else None
        self._stop_probing()
        return Change(State.CLAIM, cause, peer)

    def _stop_probing(self) -> None:
        self.suspected_at = None
        self._probe_at = None
        self._unanswered = 0
