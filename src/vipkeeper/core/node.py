"""One server's node: composes gate, claim and election; the only thing the shell talks to.

Order within one call: an ended lease is noticed before anything else, whatever the event is; then the
event is taken; timers run only on `Tick`, which the shell sends after it has delivered every packet
that was waiting. Results of address actions come back as `AddressesDone`.
"""

from __future__ import annotations

from collections.abc import Sequence

from vipkeeper.core import addressing, holding, hosting, operator, receiving
from vipkeeper.core.actions import (
    Action,
    AlarmKind,
    Announce,
    Cause,
    Exit,
    ProbeGateway,
    ProbeServer,
    ProbeVips,
    ReadNeighbours,
    Reply,
    SaveRecord,
    State,
    Transition,
)
from vipkeeper.core.addressing import Departure
from vipkeeper.core.announcer import Announcer
from vipkeeper.core.budget import MoveBudget
from vipkeeper.core.claim import ABSENT, Claim
from vipkeeper.core.decisions import Change, Round
from vipkeeper.core.events import (
    AddressesDone,
    AdvertReceived,
    AdvertRejected,
    Commanded,
    Event,
    ForeignClaimSeen,
    GatewayAnswered,
    HealthSampled,
    HostObserved,
    NeighboursRead,
    ProberLost,
    Reconfigured,
    ServerAnswered,
    Started,
    Tick,
    VipAnswered,
)
from vipkeeper.core.gate import Gate
from vipkeeper.core.hearing import Hearing
from vipkeeper.core.ledger import Ledger
from vipkeeper.core.members import Member, Members
from vipkeeper.core.peers import PeersElection
from vipkeeper.core.transitions import (
    BLOCKED,
    CLAIM,
    DEAF,
    HOLDER,
    LISTEN,
    RELEASE,
    STOPPED,
    WAITING,
)
from vipkeeper.core.types import (
    MILLISECOND,
    HostView,
    Instant,
    Record,
    Settings,
)
from vipkeeper.core.voice import Voice
from vipkeeper.wire.types import Heard, Role

HOLDS = Role.HOLDER
PLANNED = frozenset({Cause.HANDOVER, Cause.RELEASED, Cause.STANDBY, Cause.SHUTDOWN})
"""Moves that an operator asks for."""


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
        self.members = Members(settings, boot_id)
        self.hearing = Hearing()
        self.budget = MoveBudget(settings)
        self.gate = Gate(checked=settings.checked)
        self.claim = Claim(settings.kernel_lease)
        self.election = PeersElection(settings, self.members, self.hearing, self.budget)
        self.ledger = Ledger()
        self.voice = Voice(settings, boot_id)
        self.announcements_sent = 0
        self.handover_reply: operator.PendingReply | None = None
        self.announcer = Announcer()
        self.departure: Departure | None = None
        self.claim_cause = Cause.FIRST_CLAIM
        self.claim_peer: str | None = None
        self.next_advert: Instant = 0
        self._deadline: Instant | None = None
        self.alone_since: Instant | None = None
        """Since when no look of this holder found a successor."""
        self.alone_told = False
        self._out: list[Action] = []

    def handle(self, event: Event, now: Instant) -> list[Action]:
        """Take one event; the actions are to be carried out in the order given."""
        if self.state in (HOLDER, CLAIM) and self.claim.lapsed(now):
            self.depart(Cause.LEASE_LAPSED, State.LISTEN, now, tell=False)
        match event:
            case AdvertReceived():
                receiving.advert_received(self, event, now)
            case Tick():
                self._tick(now)
            case AddressesDone():
                addressing.done(self, event, now)
            case VipAnswered():
                receiving.sound(self, now)
                holding.vip_answered(self, event, now)
            case ServerAnswered():
                receiving.server_answered(self, event, now)
            case GatewayAnswered():
                receiving.gateway_answered(self, now)
            case NeighboursRead():
                holding.judge_strangers(self, event, now)
            case ForeignClaimSeen():
                receiving.sound(self, now)
                holding.foreign_claim(self, event, now)
            case HealthSampled():
                self._health_sampled(event, now)
            case ProberLost():
                self.gate.lost(now)
            case HostObserved():
                hosting.observed(self, event.host, now)
            case AdvertRejected():
                receiving.advert_rejected(self, event, now)
            case Commanded():
                operator.command(self, event, now)
            case Reconfigured():
                self._reconfigured(event.settings, now)
            case Started():
                self.next_advert = now
                self.hearing.sound(now)
                hosting.started(self, event, now)
        self._deadline = self._next_deadline()
        out, self._out = self._out, []
        return out

    def deadline(self) -> Instant | None:
        """When the next `Tick` is due if nothing else happens; None before `Started` and at the end."""
        return self._deadline

    def _next_deadline(self) -> Instant | None:
        state = self.state
        if state is STOPPED:
            return None
        due = self.next_advert
        if self.claim.phase is not ABSENT:
            at = self.claim.deadline()
            if at is not None and at < due:
                due = at
        if (at := self.announcer.deadline()) is not None and at < due:
            due = at
        if state in WAITING and (at := self.election.deadline()) is not None and at < due:
            due = at
        if self.handover_reply is not None and self.handover_reply.until < due:
            due = self.handover_reply.until
        return due

    def _reconfigured(self, settings: Settings, now: Instant) -> None:
        self.settings = settings
        self.members.reconfigured(settings)
        self.voice.reconfigured(settings)
        self.election.reconfigured(settings, now)
        if self.departure is not None and self.departure.successor not in tuple(self.members):
            self.departure.successor = None
        self.budget.reconfigured(settings)
        self.gate.reconfigured(checked=settings.checked, now=now)
        self.claim.lifetime = settings.kernel_lease

    def _health_sampled(self, event: HealthSampled, now: Instant) -> None:
        before = self.gate.health
        self.gate.sample(event.check, event.outcome, event.detail, now)
        holding.consider_move(self, now)
        if self.gate.health is not before and self.state is not State.STOPPED:
            self.send_advert(now)

    def _tick(self, now: Instant) -> None:
        if self.state is STOPPED:
            return
        self._notice_lateness(now)
        if self.claim.phase is not ABSENT:
            self.emit(self.claim.tick(now))
        holding.consider_move(self, now)
        if self.announcer.deadline() is not None:
            quiet = holding.alone_and_unready(self, now)
            if self.announcer.due(now, quiet=quiet):
                self.announce()
        if self.state in WAITING:
            change = self.election.tick(now, self.gate.health)
            if change is not None:
                self.apply(change, now)
        if self.state in WAITING and (asked := self.election.next_round(now)) is not None:
            self._ask(asked, now)
        if now >= self.next_advert:
            self.send_advert(now)
            holding.watch_successor(self, now)
            holding.watch_hearing(self, now)
            interval = self.settings.advert_interval
            self.next_advert += interval * max(1, -(-(now - self.next_advert + 1) // interval))
        if self.handover_reply is not None and now >= self.handover_reply.until:
            self.handover_reply.expired(self)
            self.handover_reply = None

    def _notice_lateness(self, now: Instant) -> None:
        late = now - self._deadline if self._deadline is not None else 0
        if late > self.settings.advert_interval:
            self.election.late(now)
            self.alone_since = None
            self.alarm(AlarmKind.LATE, f"by {late // MILLISECOND} ms", now)

    def _ask(self, asked: Round, now: Instant) -> None:
        """Send one round of questions."""
        self.emit([ProbeVips()])
        if asked.server is not None:
            self.emit([ProbeServer(asked.server, asked.service)])
        if asked.others:
            self.ask_gateway(now)
            self.send_advert(now, asks=True)

    def ask_gateway(self, now: Instant) -> None:
        """Ask the gateway, where there is one, whether this server is heard and hears."""
        if self.hearing.gateway is not None and len(self.settings.servers) > 1:
            self.hearing.gateway_asked(now)
            self.emit([ProbeGateway()])

    def apply(self, change: Change | None, now: Instant) -> None:
        """Do what the election's waiting side has decided."""
        if change is None:
            return
        if change.state is not State.CLAIM:
            self.enter(change.state, change.cause, now, peer=change.peer, detail=change.detail)
            self._say_aloud(change, now)
            return
        if change.charged:
            self.budget.charge(now)
        self.epoch = min(self.epoch + 1, 2**64 - 1)
        self.claim_epoch = self.epoch
        self.claim_cause, self.claim_peer = change.cause, change.peer
        self.enter(State.CLAIM, change.cause, now, peer=change.peer, detail=change.detail)
        self.emit(self.claim.acquire())

    def _say_aloud(self, change: Change, now: Instant) -> None:
        match change.state:
            case State.HOLDOFF:
                self.emit([ReadNeighbours()])
            case State.DEAF:
                self.alarm(
                    AlarmKind.DEAF, "neither servers nor the gateway; nothing is claimed", now
                )
            case State.HELD:
                detail = f"{self.settings.move_budget} claims; holding back while anybody serves"
                self.alarm(AlarmKind.BUDGET_SPENT, detail, now)

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
        replies = self.departure.replies if self.departure is not None else ()
        replies += (reply,) if reply is not None else ()
        before = self.departure
        if before is not None:
            tell = tell and before.tell
            if before.then is State.STOPPED:
                before.replies = replies
                return
        self.departure = Departure(cause, then, successor, tell, replies)
        if before is not None:
            return
        self.announcer.stop()
        named = successor or peer
        self.enter(
            State.RELEASE, cause, now, peer=named.server.name if named else None, detail=detail
        )
        self.emit(self.claim.release())

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
        self.emit(
            [SaveRecord(Record(epoch, holding, lease_until, self.standby, self.hearing.proven))]
        )

    def announce(self) -> None:
        """Send one round of announcements."""
        self.announcements_sent += 1
        self.emit([Announce()])

    def send_advert(
        self,
        now: Instant,
        *,
        resigning: Departure | None = None,
        asks: bool = False,
        only: Member | None = None,
        hearing_boot_id: int | None = None,
    ) -> None:
        """Tell the others, or `only` one, what this server is, now.

        `hearing_boot_id`: say that this run of `only` was heard, although it has not proven itself.
        """
        role = Role.RESIGNED if resigning is not None else self.role
        successor = resigning.successor if resigning is not None else None
        holds = role is HOLDS
        ours = holds or resigning is not None
        heard = self.members.heard(now)
        if only is not None and hearing_boot_id is not None:
            entry = Heard(hearing_boot_id, 0)
            heard = (*heard[: only.index], entry, *heard[only.index + 1 :])
        advert = self.voice.advert(
            role,
            health=self.gate.health,
            epoch=self.claim_epoch if ours else self.epoch,
            standby=self.unavailable(now),
            successor=successor.index if successor is not None else None,
            heard=heard,
            follows=None if ours else self.members.follows(now),
            asks=asks,
            planned=resigning is not None and resigning.cause in PLANNED,
        )
        if holds:
            self.claim.advert_sent(now, self.settings.strict_lease)
        self.emit(self.voice.send(advert, only.server.address if only is not None else None))

    def unavailable(self, now: Instant) -> bool:
        """True when nobody should name this server as a successor or wait for it."""
        return self.standby or self.state in (BLOCKED, DEAF) or self.budget.spent(now)

    @property
    def role(self) -> Role:
        """What this server is, as its adverts say it."""
        if self.state is HOLDER:
            return Role.HOLDER
        leaving = self.departure if self.state is RELEASE else None
        if leaving is not None and leaving.cause is not Cause.LEASE_LAPSED:
            return Role.HOLDER
        return Role.LISTENING if self.state is LISTEN else Role.BACKUP

    def reply(self, request: int, text: str, *, ok: bool = True) -> None:
        """Answer an operator."""
        self.emit([Reply(request, ok, text)])
