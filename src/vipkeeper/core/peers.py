"""The `peers` election, waiting side: who holds, since when silent, and when to claim.

Silence of the holder makes it *suspect*. Then everybody who could know is asked, round after round:
the VIP itself, the holder's daemon, its kernel, its API server, the other servers, the gateway.

* the holder's daemon answers, or another server heard it since: follow it again;
* the VIP answers, or the holder's kernel does: *holdoff*. The daemon is dead or frozen but its kernel may
  still serve under its lease; wait until 12 rounds in a row got no answer for the VIP, then claim;
* only ARP answers (a fabric that answers for the dead), or adverts that cannot be trusted arrive: holdoff
  of at most T_L = L + 1 s;
* nothing at all is heard, not even the gateway: *deaf*; a deaf server claims nothing;
* nothing answers for the VIP: claim, better-ranked candidates first, 60 ms a rank.

This class keeps no address and sends nothing; `core.node` does what it decides.
"""

from __future__ import annotations

from vipkeeper.core.actions import Cause, State
from vipkeeper.core.budget import MoveBudget
from vipkeeper.core.decisions import Change, Resignation, Round
from vipkeeper.core.events import ECHO, Channel, Sign
from vipkeeper.core.hearing import Hearing
from vipkeeper.core.members import Member, Members
from vipkeeper.core.suspicion import (
    CONFIRM_ROUNDS,
    OTHERS_EVERY,
    RANK_DELAY,
    ROUND_EVERY,
    SERVICE_EVERY,
    Suspicion,
    conclude_at,
    long_enough,
    nobody_held,
    round_every,
)
from vipkeeper.core.transitions import ASKING, BACKUP, DEAF, LISTEN, SUSPECT
from vipkeeper.core.types import MILLISECOND, Duration, Instant, Settings
from vipkeeper.wire.types import Health

ROUNDS_UNTIL_STOPPED = 12
"""Unanswered rounds in a row after which a VIP that answered counts as stopped."""
NAMED_WITHIN: Duration = 50 * MILLISECOND
"""How old a resignation may be for its named successor to claim without asking."""
QUIET_ROUNDS = 1
"""Unanswered rounds in a row after which hold-off asks everybody again: the next may be a claim."""


class PeersElection:
    """Watches the holder while this server does not hold."""

    def __init__(
        self, settings: Settings, members: Members, hearing: Hearing, budget: MoveBudget
    ) -> None:
        self._settings = settings
        self._members = members
        self._hearing = hearing
        self._budget = budget
        self.state = State.LISTEN
        self.holder: Member | None = None
        """The server this one follows."""
        self.suspicion: Suspicion | None = None
        self._listen_until: Instant = 0
        self._patience_until: Instant = 0
        self._stepped_at: Instant = 0
        self._ask_at: Instant = 0
        """While deaf: when to ask again."""

    def reconfigured(self, settings: Settings, now: Instant) -> None:
        """Take new settings. Whom they no longer name is not followed and not asked."""
        self._settings = settings
        listed = set(map(id, self._members))
        if self.holder is not None and id(self.holder) not in listed:
            self.holder = None
            self._patience_until = now + settings.suspect_after
        about = self.suspicion.about if self.suspicion is not None else None
        if self.suspicion is not None and about is not None and id(about) not in listed:
            self.suspicion.about = None

    @property
    def answering_macs(self) -> set[bytes]:
        """Who answered for the VIP since it was last suspected."""
        return self.suspicion.macs if self.suspicion is not None else set()

    def deadline(self) -> Instant | None:
        """When `tick` must be asked again."""
        if self.state is BACKUP:
            return self._silent_at()
        if self.state is LISTEN:
            return self._listen_until
        if self.state is DEAF:
            return self._ask_at
        suspicion = self.suspicion
        if suspicion is None or suspicion.round_at is None:
            return None
        due = suspicion.began + suspicion.wait
        if self.state is SUSPECT and due > self._stepped_at:
            return min(suspicion.round_at, due)
        return suspicion.round_at

    def listen(self, now: Instant, cause: Cause, detail: str = "") -> Change:
        """Begin anew: hear first, claim later."""
        self.suspicion = None
        self.holder = None
        self.state = State.LISTEN
        self._listen_until = now + self._settings.suspect_after
        return Change(State.LISTEN, cause, detail=detail)

    def follow(self, holder: Member, cause: Cause) -> Change:
        """Watch this holder."""
        self.suspicion = None
        self.holder = holder
        self.state = State.BACKUP
        self._patience_until = 0
        return Change(State.BACKUP, cause, holder.server.name)

    def wait(self, cause: Cause, not_before: Instant) -> Change:
        """Watch for whoever claims next; nobody is followed. Suspicious at `not_before` at the earliest."""
        self.suspicion = None
        self.holder = None
        self.state = State.BACKUP
        self._patience_until = not_before
        return Change(State.BACKUP, cause)

    def fall_deaf(self, now: Instant) -> Change:
        """Nobody is heard, not even the gateway: claim nothing, ask on."""
        self.suspicion = None
        self.holder = None
        self.state = State.DEAF
        self._ask_at = now
        return Change(State.DEAF, Cause.DEAF)

    def late(self, now: Instant) -> None:
        """This daemon ran late by more than an interval: its silence proves nothing yet."""
        another = now + self._settings.advert_interval
        self._patience_until = max(self._patience_until, another)
        self._listen_until = max(self._listen_until, another)
        if self.state in ASKING and self.suspicion is not None:
            self.suspicion.restart(now, self._settings.confirm_budget)

    def heard(self, member: Member, now: Instant) -> Change | None:
        """An advert of this member was accepted while this server does not hold."""
        if member.holds:
            return self._heard_holder(member, now)
        if self.holder is member and self.state is BACKUP:
            self.holder = None
            return self._suspect(now, Cause.HOLDER_RESIGNED, member)
        return None

    def vouched(self, holder: Member, now: Instant) -> Change | None:
        """Another server heard this holder itself, after this server did."""
        if not self._members.vouched_newer(holder, now):
            return None
        if self.state is BACKUP and self.holder is not None:
            return None
        return self.follow(holder, Cause.HOLDER_VOUCHED)

    def resigned(self, resignation: Resignation, now: Instant) -> Change | None:
        """The holder has released the VIP.

        Who is named claims without asking, but only within the grace that the others give it: one
        that reads the resignation late, after a stall, may find somebody else at the VIP.
        """
        member = resignation.by
        if self.state is not BACKUP and self.state not in ASKING:
            return None
        named_me = resignation.names_me and self.state is not BACKUP
        if not named_me and not self._concerns(member, now):
            return None
        asked = self.holder in (None, member)
        again = self.suspicion is not None and self.suspicion.resigned is member
        self.holder = None
        planned = resignation.planned
        if resignation.names_me and now - resignation.received <= NAMED_WITHIN:
            self.suspicion = None
            peer = member.server.name
            return Change(State.CLAIM, Cause.NAMED_SUCCESSOR, peer, charged=not planned)
        if again:
            return None
        named = resignation.named is not None or resignation.names_me
        change = self._suspect(
            now,
            Cause.HOLDER_RESIGNED,
            member,
            wait=(RANK_DELAY if named else 0) if asked else None,
            planned=planned,
            aside=(member,) if resignation.named is None else (member, resignation.named),
        )
        if self.suspicion is not None:
            self.suspicion.resigned = member
            self.suspicion.must_ask = not asked
        return change

    def _concerns(self, member: Member, now: Instant) -> bool:
        """True when a resignation of this server may begin something here.

        Not while another one is followed that is heard, and not while something else still answers:
        what was found out about the silent server stays true.
        """
        other = self.holder if self.holder is not member else None
        if self.state is BACKUP:
            return other is None or not self._members.live(other, now)
        suspicion = self.suspicion
        if suspicion is None or self.state is SUSPECT:
            return True
        mine = suspicion.about is member or member in suspicion.aside
        return mine or (suspicion.about is None and not suspicion.arp_answered)

    def answered(self, channel: Channel, mac: bytes, now: Instant) -> Change | None:
        """Another host answered a probe of the VIP."""
        if self.suspicion is None or self.state not in ASKING:
            return None
        self.suspicion.vip_answered(channel, mac, now)
        if channel is ECHO and self.state is SUSPECT:
            return self._hold_off(Cause.VIP_ANSWERS, now)
        return None

    def server_answered(self, server: int, sign: Sign) -> None:
        """A server's own address answered a probe."""
        suspicion = self.suspicion
        if suspicion is not None and suspicion.about and suspicion.about.index == server:
            suspicion.signs.add(sign)

    def hears_again(self, now: Instant) -> Change | None:
        """Something was heard: a deaf server is deaf no more."""
        return self.listen(now, Cause.HEARS_AGAIN) if self.state is DEAF else None

    def tick(self, now: Instant, own_health: Health) -> Change | None:
        """Look at what is due. CLAIM in the answer means: claim now."""
        if self.state is BACKUP and now < self._silent_at():
            return None
        if self.state is SUSPECT:
            return self._suspect_step(now, own_health)
        match self.state:
            case State.LISTEN if now >= self._listen_until:
                return self._suspect(now, Cause.FIRST_CLAIM, None)
            case State.BACKUP:
                cause = Cause.HOLDER_SILENT if self.holder is not None else Cause.FIRST_CLAIM
                aside = (self.holder,) if self.holder is not None else ()
                return self._suspect(now, cause, self.holder, aside=aside)
            case State.HOLDOFF:
                return self._holdoff_step(now, own_health)
            case State.HELD:
                return self._held_step(now, own_health)
            case State.DEAF if not self.can_be_deaf:
                return self.listen(
                    now, Cause.HEARS_AGAIN, "there is no gateway to tell by any more"
                )
            case _:
                return None

    def next_round(self, now: Instant) -> Round | None:
        """Whom to ask now; it then counts as asked."""
        if self.state is DEAF and now >= self._ask_at:
            self._ask_at = now + self._settings.advert_interval
            return Round()
        suspicion = self.suspicion
        if suspicion is None or suspicion.round_at is None or now < suspicion.round_at:
            return None
        n = suspicion.rounds
        suspicion.asked(now, self._every())
        quiet = suspicion.unanswered <= QUIET_ROUNDS
        if self.state is not SUSPECT and quiet and n % OTHERS_EVERY:
            return Round(others=False)
        if suspicion.about is None or not suspicion.asks_server:
            return Round()
        return Round(suspicion.about.index, service=n % SERVICE_EVERY == 0)

    def _every(self) -> Duration:
        return round_every(self._settings) if self.state is SUSPECT else ROUND_EVERY

    def _heard_holder(self, member: Member, now: Instant) -> Change | None:
        if self.holder is member and self.state is BACKUP:
            return None
        newest = self._members.latest_holder(now) or member
        if newest is self.holder and self.state is BACKUP:
            return None
        return self.follow(newest, Cause.HOLDER_HEARD)

    def _silent_at(self) -> Instant:
        holder, patience = self.holder, self._patience_until
        heard_at = holder.alive_at if holder is not None else None
        if holder is None or heard_at is None:
            return patience
        silent_at = heard_at + holder.suspect_after
        return silent_at if silent_at > patience else patience

    def _suspect(
        self,
        now: Instant,
        cause: Cause,
        about: Member | None,
        *,
        wait: Duration | None = None,
        planned: bool = False,
        aside: tuple[Member, ...] = (),
    ) -> Change:
        other = self._members.latest_holder(now)
        if other is not None:
            # The one that was followed holds no more, but somebody else does.
            return self.follow(other, Cause.HOLDER_HEARD)
        self.state = State.SUSPECT
        budget = self._settings.confirm_budget
        wait = budget if wait is None else wait
        self.suspicion = Suspicion(cause, about, now, wait, planned, aside)
        self.suspicion.round_at = now
        return Change(State.SUSPECT, cause, about.server.name if about else None)

    def _suspect_step(self, now: Instant, own_health: Health) -> Change | None:
        suspicion = self.suspicion
        if suspicion is None:
            return None
        self._stepped_at = now
        due = conclude_at(suspicion, self._members, self._settings, now)
        ahead, fewer = self._ahead(suspicion, now, own_health)
        if fewer and now > due:
            suspicion.rank_from = now
        if now < max(due, suspicion.rank_from) + RANK_DELAY * ahead:
            return None
        resigned = suspicion.cause is Cause.HOLDER_RESIGNED and not suspicion.must_ask
        if not resigned and suspicion.rounds < CONFIRM_ROUNDS:
            return None
        if self._deaf(now):
            return self.fall_deaf(now)
        reason = suspicion.reason_to_hold_off()
        if reason is None and self._members.stranger(now):
            reason = Cause.STRANGER_HEARD
        return self._hold_off(reason, now) if reason is not None else self._claim(suspicion, now)

    def _hold_off(self, cause: Cause, now: Instant) -> Change:
        suspicion = self.suspicion
        assert suspicion is not None
        self.state = State.HOLDOFF
        peer = suspicion.about.server.name if suspicion.about else None
        return Change(State.HOLDOFF, cause, peer, suspicion.evidence(now))

    def _holdoff_step(self, now: Instant, own_health: Health) -> Change | None:
        suspicion = self.suspicion
        if suspicion is None:
            return None
        ahead, fewer = self._ahead(suspicion, now, own_health)
        if now >= long_enough(suspicion, self._settings, ahead):
            if self._deaf(now):
                return self.fall_deaf(now)
            return self._claim(suspicion, now, Cause.UNCONDITIONAL)
        if fewer:
            suspicion.unanswered = min(suspicion.unanswered, ROUNDS_UNTIL_STOPPED)
        more = ahead * RANK_DELAY // ROUND_EVERY
        stopped = suspicion.unanswered >= ROUNDS_UNTIL_STOPPED + more
        if not stopped or suspicion.round_at is None or now < suspicion.round_at:
            return None
        if self._members.stranger(now):
            return None
        if self._deaf(now):
            return self.fall_deaf(now)
        lapsed = Cause.LEASE_LAPSED_ELSEWHERE if suspicion.arp_answered else None
        return self._claim(suspicion, now, lapsed)

    def _held_step(self, now: Instant, own_health: Health) -> Change | None:
        """Many claims lately: claim only what nobody has served for T_L."""
        suspicion = self.suspicion
        if suspicion is None:
            return None
        ahead, _ = self._ahead(suspicion, now, own_health)
        if now < long_enough(suspicion, self._settings, ahead):
            return None
        if self._deaf(now):
            return self.fall_deaf(now)
        return self._claim(suspicion, now, held=True)

    @property
    def can_be_deaf(self) -> bool:
        """True when silence of all can be told from one's own deafness; never in a cluster of one."""
        return self._hearing.can_tell and len(self._settings.servers) > 1

    def _deaf(self, now: Instant) -> bool:
        return self.can_be_deaf and self._hearing.silent(now)

    def _ahead(self, suspicion: Suspicion, now: Instant, own_health: Health) -> tuple[int, bool]:
        """How many candidates outrank this server, and whether they have just become fewer.

        When one of them is gone, all behind it would find their wait over in the same moment: so the
        order begins anew from there.
        """
        ahead = self._members.others_ahead(own_health, now, besides=suspicion.aside)
        fewer = suspicion.ahead is not None and ahead < suspicion.ahead
        suspicion.ahead = ahead
        return ahead, fewer

    def _claim(
        self, suspicion: Suspicion, now: Instant, cause: Cause | None = None, *, held: bool = False
    ) -> Change:
        peer = suspicion.about.server.name if suspicion.about is not None else None
        charged = not suspicion.planned and not nobody_held(suspicion, self._members, now)
        if charged and not held and self._budget.spent(now):
            self.state = State.HELD
            return Change(State.HELD, Cause.BUDGET_SPENT, peer)
        self.suspicion = None
        detail = suspicion.evidence(now)
        return Change(State.CLAIM, cause or suspicion.cause, peer, detail, charged=charged)
