"""One server's node: composes gate, claim and election; the only thing the shell talks to.

Order within one call: an ended lease is noticed before anything else, whatever the event is; then the
event is taken; timers run only on `Tick`, which the shell sends after it has delivered every packet
that was waiting. Results of address actions come back as `AddressesDone`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vipkeeper.core import holding, hosting, operator
from vipkeeper.core.actions import (
    Action,
    AlarmKind,
    Announce,
    Cause,
    Exit,
    ProbeVips,
    ReadNeighbours,
    Reply,
    SaveRecord,
    State,
    Transition,
)
from vipkeeper.core.announcer import Announcer
from vipkeeper.core.claim import Claim, ClaimResult, Phase
from vipkeeper.core.events import (
    AddressesDone,
    AdvertReceived,
    AdvertRejected,
    Commanded,
    Event,
    ForeignClaimSeen,
    HealthSampled,
    HostObserved,
    NeighboursRead,
    ProberLost,
    Reconfigured,
    Started,
    Tick,
    VipAnswered,
)
from vipkeeper.core.gate import Gate
from vipkeeper.core.hosting import WAITING
from vipkeeper.core.ledger import Ledger
from vipkeeper.core.members import Member, Members
from vipkeeper.core.peers import RANK_DELAY, Change, PeersElection
from vipkeeper.core.types import (
    MILLISECOND,
    SECOND,
    HostView,
    Instant,
    Record,
    Settings,
)
from vipkeeper.core.voice import Voice
from vipkeeper.wire.types import Advert, Rejection, Role

RESIGNATION_COPIES = 3
CLAIM_AGAIN_AFTER = SECOND
"""After the kernel refused the VIP."""


@dataclass(slots=True)
class Departure:
    """The VIP is being taken away: why, and what follows when it is gone."""

    cause: Cause
    then: State
    successor: Member | None = None
    tell: bool = True
    """False when there is nobody to tell: another holds already, or the lease has lapsed."""
    replies: tuple[int, ...] = ()


class Node:
    """`handle(event, now) -> actions`, `deadline()`; nothing else changes it."""

    def __init__(self, settings: Settings, boot_id: int) -> None:
        """`boot_id`: random, 64 bits, not 0, new at every start of the daemon."""
        self.settings = settings
        self.state = State.STOPPED
        self.since: Instant = 0
        self.epoch = 0
        """The highest epoch seen anywhere."""
        self.claim_epoch = 0
        """The epoch of our own last claim."""
        self.standby = False
        self.host: HostView | None = None
        self.members = Members(settings)
        self.gate = Gate(checked=settings.checked)
        self.claim = Claim(settings.kernel_lease)
        self.election = PeersElection(settings, self.members)
        self.ledger = Ledger()
        self.voice = Voice(settings, boot_id)
        self.announcements_sent = 0
        self.handover_reply: operator.PendingReply | None = None
        self.announcer = Announcer()
        self._departure: Departure | None = None
        self._claim_cause = Cause.FIRST_CLAIM
        self._claim_peer: str | None = None
        self.next_advert: Instant = 0
        self._expected: Instant | None = None
        self.had_successor: bool | None = None
        self._out: list[Action] = []

    def handle(self, event: Event, now: Instant) -> list[Action]:
        """Take one event; the actions are to be carried out in the order given."""
        if self.claim.lapsed(now) and self.state in (State.HOLDER, State.CLAIM):
            self.depart(Cause.LEASE_LAPSED, State.LISTEN, now, tell=False)
        match event:
            case Tick():
                self._tick(now)
            case AdvertReceived():
                self._advert_received(event, now)
            case AddressesDone():
                self._addresses_done(event, now)
            case VipAnswered():
                holding.vip_answered(self, event, now)
            case NeighboursRead():
                holding.judge_strangers(self, event, now)
            case ForeignClaimSeen():
                holding.foreign_claim(self, event, now)
            case HealthSampled():
                self._health_sampled(event, now)
            case ProberLost():
                self.gate.lost(now)
            case HostObserved():
                hosting.observed(self, event.host, now)
            case AdvertRejected():
                self._reject(event.reason, str(event.source), now)
            case Commanded():
                operator.command(self, event, now)
            case Reconfigured():
                self._reconfigured(event.settings, now)
            case Started():
                self.next_advert = now
                hosting.started(self, event, now)
        self._expected = self.deadline()
        out, self._out = self._out, []
        return out

    def deadline(self) -> Instant | None:
        """When the next `Tick` is due if nothing else happens; None before `Started` and at the end."""
        if self.state is State.STOPPED:
            return None
        times = [self.next_advert, self.claim.deadline(), self.announcer.deadline()]
        if self.state in WAITING:
            times.append(self.election.deadline())
        if self.handover_reply is not None:
            times.append(self.handover_reply.until)
        return min(t for t in times if t is not None)

    def _reconfigured(self, settings: Settings, now: Instant) -> None:
        self.settings = settings
        self.members.reconfigured(settings)
        self.voice.reconfigured(settings)
        self.election.reconfigured(settings)
        self.gate.reconfigured(checked=settings.checked, now=now)
        self.claim.lifetime = settings.kernel_lease

    def _advert_received(self, event: AdvertReceived, now: Instant) -> None:
        was_alone = not self.members.any_live(now)
        member = self.members.accept(event.source, event.advert, event.received)
        if isinstance(member, Rejection):
            self._reject(member, str(event.source), now)
            return
        advert = event.advert
        self.epoch = max(self.epoch, advert.epoch)
        if member.configuration_differs:
            detail = f"{member.server.name} has another vip or servers list"
            self.alarm(AlarmKind.CONFIGURATION_DIFFERS, detail, now)
        if advert.role is Role.HOLDER and self.handover_reply is not None:
            self.handover_reply = self.handover_reply.answered(member, self, now)
        if self.state in (State.HOLDER, State.CLAIM):
            holding.heard(self, member, advert, was_alone=was_alone, now=now)
        elif self.state in WAITING and advert.role is Role.RESIGNED:
            self._heard_resignation(member, advert, now)
        elif self.state in WAITING:
            self.apply(self.election.heard(member, now), now)

    def _heard_resignation(self, member: Member, advert: Advert, now: Instant) -> None:
        successor = None if member.configuration_differs else advert.successor
        me = successor == self.settings.own
        named = next((m for m in self.members if m.index == successor), None)
        self.apply(self.election.resigned(member, now, named=named, me=me), now)

    def _reject(self, reason: Rejection, source: str, now: Instant) -> None:
        self.ledger.rejected(reason)
        if reason is not Rejection.REPLAYED:
            self.alarm(AlarmKind.ADVERT_REJECTED, f"from {source}: {reason.value}", now)

    def _health_sampled(self, event: HealthSampled, now: Instant) -> None:
        before = self.gate.health
        self.gate.sample(event.check, event.outcome, event.detail, now)
        holding.consider_move(self, now)
        if self.gate.health is not before and self.state is not State.STOPPED:
            self.send_advert(now)

    def _tick(self, now: Instant) -> None:
        if self.state is State.STOPPED:
            return
        self._notice_lateness(now)
        self.emit(self.claim.tick(now))
        holding.consider_move(self, now)
        if self.announcer.due(now, quiet=holding.alone_and_unready(self, now)):
            self._announce()
        if self.state in WAITING:
            self.apply(self.election.tick(now, self.gate.health), now)
        if self.state in WAITING and self.election.probe_due(now):
            self.emit([ProbeVips()])
            self.election.probe_sent(now)
        if now >= self.next_advert:
            self.send_advert(now)
            holding.watch_successor(self, now)
            interval = self.settings.advert_interval
            self.next_advert += interval * max(1, -(-(now - self.next_advert + 1) // interval))
        if self.handover_reply is not None and now >= self.handover_reply.until:
            self.handover_reply.expired(self)
            self.handover_reply = None

    def _notice_lateness(self, now: Instant) -> None:
        late = now - self._expected if self._expected is not None else 0
        if late > self.settings.advert_interval:
            self.election.late(now)
            self.alarm(AlarmKind.LATE, f"by {late // MILLISECOND} ms", now)

    def apply(self, change: Change | None, now: Instant) -> None:
        """Do what the election's waiting side has decided."""
        if change is None:
            return
        if change.state is not State.CLAIM:
            self.enter(change.state, change.cause, now, peer=change.peer)
            self.emit([ReadNeighbours()] if change.state is State.HOLDOFF else [])
            return
        self.epoch = min(self.epoch + 1, 2**64 - 1)
        self.claim_epoch = self.epoch
        self._claim_cause, self._claim_peer = change.cause, change.peer
        self.enter(State.CLAIM, change.cause, now, peer=change.peer)
        self.emit(self.claim.acquire())

    def depart(
        self,
        cause: Cause,
        then: State,
        now: Instant,
        *,
        successor: Member | None = None,
        peer: Member | None = None,
        tell: bool = True,
        reply: int | None = None,
        detail: str = "",
    ) -> None:
        """Take the VIP away first; what follows happens when it is certainly gone."""
        replies = self._departure.replies if self._departure is not None else ()
        replies += (reply,) if reply is not None else ()
        already = self._departure is not None
        self._departure = Departure(cause, then, successor, tell, replies)
        if already:
            return
        self.announcer.stop()
        named = successor or peer
        self.enter(
            State.RELEASE, cause, now, peer=named.server.name if named else None, detail=detail
        )
        self.emit(self.claim.release())

    def _addresses_done(self, event: AddressesDone, now: Instant) -> None:
        match self.claim.done(event):
            case ClaimResult.HELD:
                self._holding(now)
            case ClaimResult.RESTORED:
                self.alarm(AlarmKind.ADDRESS_DELETED, "put back", now)
                self.announcer.start(now)
                self.save(now)
            case ClaimResult.GONE if self._departure is not None:
                self._departed(self._departure, now)
            case ClaimResult.FAILED:
                self._refused_by_kernel(event, now)
            case ClaimResult.LAPSED:
                self.announcer.stop()
                self.save(now)
                hosting.rest(self, Cause.LEASE_LAPSED, now)
            case None if self.claim.phase is Phase.HELD:
                self.save(now)
            case _:
                pass

    def _holding(self, now: Instant) -> None:
        self.enter(State.HOLDER, self._claim_cause, now, peer=self._claim_peer)
        self.send_advert(now)
        self.announcer.start(now)
        if self.announcer.due(now, quiet=False):
            self._announce()
        self.save(now)

    def _departed(self, departure: Departure, now: Instant) -> None:
        self._departure = None
        if departure.tell:
            self._resign(departure.successor, now)
        self.save(now)
        for reply in departure.replies:
            self.emit([operator.released_reply(reply, departure.successor)])
        match departure.then:
            case State.STOPPED:
                self.stop(departure.cause, now)
            case State.BACKUP:
                self._after_yielding(departure.cause, now)
            case _:
                hosting.rest(self, departure.cause, now)

    def _after_yielding(self, cause: Cause, now: Instant) -> None:
        if self.host is None or not self.host.usable:
            hosting.rest(self, cause, now)
            return
        holder = self.members.latest_holder(now)
        if holder is not None:
            self.apply(self.election.follow(holder, cause), now)
            return
        others_first = RANK_DELAY * len(self.settings.servers)
        wait_until = now + self.settings.suspect_after + others_first
        self.apply(self.election.wait(now, cause, wait_until), now)

    def _refused_by_kernel(self, event: AddressesDone, now: Instant) -> None:
        self.alarm(AlarmKind.ADDRESS_FAILED, event.detail, now)
        self.announcer.stop()
        self.save(now)
        change = self.election.wait(now, Cause.ADDRESS_FAILED, now + CLAIM_AGAIN_AFTER)
        self.apply(change, now)

    def stop(self, cause: Cause, now: Instant) -> None:
        """The end: nothing of the VIP is left here."""
        self.enter(State.STOPPED, cause, now)
        self.emit([Exit()])

    def emit(self, actions: Sequence[Action]) -> None:
        """Queue actions for the shell."""
        self._out.extend(actions)

    def alarm(self, kind: AlarmKind, detail: str, now: Instant) -> None:
        """Tell the operator, at most once a minute the same thing."""
        self.emit(self.ledger.alarm(kind, detail, now))

    def enter(
        self, state: State, cause: Cause, now: Instant, *, peer: str | None = None, detail: str = ""
    ) -> None:
        """Change the state and say so."""
        transition = Transition(self.state, state, cause, self.epoch, peer, detail)
        self.state = state
        self.since = now
        self.ledger.transition(transition)
        self.emit([transition])

    def save(self, now: Instant) -> None:
        """Remember what a restart of the daemon must know."""
        holding = self.claim.held
        lease_until = self.claim.lease_until if holding and self.claim.lease_until else 0
        epoch = self.claim_epoch if holding else self.epoch
        self.emit([SaveRecord(Record(epoch, holding, lease_until, self.standby))])

    def _announce(self) -> None:
        self.announcements_sent += 1
        self.emit([Announce()])

    def send_advert(
        self, now: Instant, role: Role | None = None, successor: int | None = None
    ) -> None:
        """Tell the others what this server is, now."""
        role = role if role is not None else self.role
        ours = role in (Role.HOLDER, Role.RESIGNED)
        advert = self.voice.advert(
            role,
            health=self.gate.health,
            epoch=self.claim_epoch if ours else self.epoch,
            standby=self.standby or self.state is State.BLOCKED,
            successor=successor,
            heard=self.members.heard(now),
        )
        self.emit(self.voice.send(advert))

    def _resign(self, successor: Member | None, now: Instant) -> None:
        index = successor.index if successor is not None else None
        for _ in range(RESIGNATION_COPIES):
            self.send_advert(now, Role.RESIGNED, index)

    @property
    def role(self) -> Role:
        """What this server is, as its adverts say it."""
        if self.state is State.HOLDER:
            return Role.HOLDER
        if self.state is State.RELEASE and self.claim.phase is not Phase.ABSENT:
            return Role.HOLDER
        return Role.LISTENING if self.state is State.LISTEN else Role.BACKUP

    def reply(self, request: int, text: str, *, ok: bool = True) -> None:
        """Answer an operator."""
        self.emit([Reply(request, ok, text)])
