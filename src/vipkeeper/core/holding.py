"""What is made of others at the VIP: other holders, strangers, answers; and of one's own health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vipkeeper.core.actions import AlarmKind, Cause, State
from vipkeeper.core.claim import RESTORING
from vipkeeper.core.events import ForeignClaimSeen, NeighboursRead, VipAnswered
from vipkeeper.core.gate import UNREADY
from vipkeeper.core.members import Member
from vipkeeper.core.policy import planned_move
from vipkeeper.core.transitions import HOLDER, WAITING
from vipkeeper.core.types import Duration, Instant
from vipkeeper.wire.types import Advert, Health, Role

if TYPE_CHECKING:
    from vipkeeper.core.node import Node


TOLD_OFTEN = 3
"""Adverts in a row of another holder that does not hear this one, over time: see `Told`."""
WITNESSED_OFTEN = 6
"""Adverts in a row of a server that follows another holder: more, so that never both give way."""


def heard(node: Node, member: Member, advert: Advert, *, was_alone: bool, now: Instant) -> None:
    """Another server was heard while this one holds or is about to.

    Two holders: the newer epoch wins, then the better rank; the winner says so at once and announces
    again. But a winner that the other one cannot hear would never be believed: told so three times it
    gives way. Two that cannot hear each other are told by a server that hears both. A server that could
    have held the VIP while it was not heard has taught neighbours its MAC: once it follows nobody else, this
    one announces again. A holder that was alone gives way to any that serves if it is unready.
    """
    interval = node.settings.advert_interval
    member.doubtful |= could_have_claimed(node, member.silent_for, member.suspect_after)
    gives_way = was_alone and node.gate.health is Health.UNREADY and advert.health.serves
    if advert.role is not Role.HOLDER:
        member.unheard.take(now, interval, said=False)
        other = node.members.witnessed(member)
        member.elsewhere.take(now, interval, said=other is not None)
        if other is not None and member.elsewhere.times >= WITNESSED_OFTEN:
            node.depart(Cause.WITNESSED, State.BACKUP, now, tell=False, peer=other)
        elif gives_way and node.state is HOLDER and node.members.would_succeed(member):
            node.depart(Cause.PEER_READY, State.BACKUP, now, successor=member)
        elif member.doubtful and _knows_of_no_other(node, member, advert):
            member.doubtful = False
            node.announcer.again(now)
        return
    theirs = node.members.claim_of(member)
    ours = node.members.own_claim(node.claim_epoch, node.gate.health)
    member.elsewhere.take(now, interval, said=False)
    member.unheard.take(now, interval, said=not node.members.hears_us(member))
    unheard = member.unheard.times >= TOLD_OFTEN
    if node.gate.health.serves and not unheard and _gives_way(node, member, advert):
        _insist(node, member, now)
    elif theirs > ours or gives_way:
        cause = Cause.NEWER_EPOCH if advert.epoch > node.claim_epoch else Cause.BETTER_RANK
        cause = Cause.PEER_READY if theirs <= ours else cause
        node.depart(cause, State.BACKUP, now, tell=False, peer=member)
    elif unheard:
        node.depart(Cause.UNHEARD, State.BACKUP, now, tell=False, peer=member)
    else:
        _insist(node, member, now)


def _knows_of_no_other(node: Node, member: Member, advert: Advert) -> bool:
    return not member.configuration_differs and advert.follows in (None, node.settings.own)


def could_have_claimed(node: Node, silent_for: Duration | None, suspect_after: Duration) -> bool:
    """Whether a server could have claimed the VIP while it was not heard for so long (None: for ever).

    None claims sooner than a quarter of the confirm budget after its suspect time.
    """
    return silent_for is None or silent_for > suspect_after + node.settings.confirm_budget // 4


def gateway_heard_again(node: Node, silent_for: Duration, now: Instant) -> None:
    """The gateway answers at last, after a silence of everybody: it may have another server's MAC for the VIP,
    and nobody else may be left to say so.
    """
    others = len(node.settings.servers) > 1
    if (
        node.state is HOLDER
        and others
        and could_have_claimed(node, silent_for, node.settings.suspect_after)
    ):
        node.announcer.again(now)


def _gives_way(node: Node, member: Member, advert: Advert) -> bool:
    """True when another holder is unready and alone: it yields to this server as soon as it hears it."""
    alone = node.members.hears_nobody(advert, member.suspect_after)
    return advert.health is Health.UNREADY and alone


def _insist(node: Node, member: Member, now: Instant) -> None:
    """Say so at once, but once an interval: two that both insist must not answer each other at wire speed."""
    if node.state is not HOLDER:
        return
    node.alarm(AlarmKind.TWO_HOLDERS, f"{member.server.name} holds it too", now)
    node.announcer.again(now)
    if member.insisted is None or now - member.insisted >= node.settings.advert_interval:
        member.insisted = now
        node.send_advert(now)


def vip_answered(node: Node, event: VipAnswered, now: Instant) -> None:
    """A probe was answered: what is to be put back is another's now, what is waited for still serves."""
    if node.claim.phase is RESTORING:
        node.depart(Cause.ADDRESS_LOST, State.BACKUP, now, tell=False)
    elif node.state in WAITING:
        node.apply(node.election.answered(event.channel, event.mac, now), now)


def foreign_claim(node: Node, event: ForeignClaimSeen, now: Instant) -> None:
    """A frame of another MAC claims the VIP: alarm and announce again, or give way."""
    if node.state is not HOLDER:
        return
    if node.claim.phase is RESTORING:
        node.depart(Cause.ADDRESS_LOST, State.BACKUP, now, tell=False)
    elif alone_and_unready(node, now):
        node.depart(Cause.FOREIGN_HOLDER, State.BACKUP, now, tell=False)
    else:
        detail = f"{event.vip} claimed by {event.mac.hex(':')}"
        node.alarm(AlarmKind.FOREIGN_ANSWER, detail, now)
        node.announcer.again(now)


def judge_strangers(node: Node, event: NeighboursRead, now: Instant) -> None:
    """Alarm when the VIP is answered by a MAC that no listed server has; nobody claims meanwhile.

    Says nothing unless the MAC of every other server is known: an unknown one might be the stranger's.
    """
    known = dict(event.macs)
    if not all(member.server.address in known for member in node.members):
        return
    strangers = node.election.answering_macs - set(known.values())
    if strangers:
        names = ", ".join(sorted(mac.hex(":") for mac in strangers))
        node.alarm(AlarmKind.FOREIGN_ANSWER, f"the VIP is answered by {names}", now)


def alone_and_unready(node: Node, now: Instant) -> bool:
    """A holder in this state stays (a VIP on nobody helps no one) but does not push itself again."""
    if node.gate.health is not UNREADY or len(node.settings.servers) == 1:
        return False
    return not node.members.any_live(now)


def consider_move(node: Node, now: Instant) -> None:
    """Hand over when health or preemption ask for it now."""
    if node.state is not HOLDER:
        return
    move = planned_move(node.settings, node.gate, node.members, now, node.since)
    if move is not None and move.at <= now:
        node.depart(move.cause, State.BACKUP, now, successor=move.to)


def watch_successor(node: Node, now: Instant) -> None:
    """Say aloud when nobody could take the VIP over, once each time it becomes so.

    For the suspect time at least: after a stall of this server the others must first hear it again, and
    then say so.
    """
    if node.state is not HOLDER or node.members.has_successor(now):
        node.alone_since = None
        node.alone_told = False
        return
    if node.alone_since is None:
        node.alone_since = now
    if not node.alone_told and now - node.alone_since >= node.settings.suspect_after:
        node.alone_told = True
        node.alarm(AlarmKind.NO_SUCCESSOR, "no other server can take the VIP over", now)


def watch_hearing(node: Node, now: Instant) -> None:
    """Ask the gateway: in good times whether it answers at all, as a holder that hears nobody whether it
    is this server that is deaf. A deaf holder gives the VIP to whom it heard last.

    It may still be heard, so it resigns like any other. Without a gateway it stays: nobody can tell
    whether it is deaf or all others are dead.
    """
    if node.state is not HOLDER or node.members.any_live(now):
        if node.hearing.due(now):
            node.ask_gateway(now)
        return
    if not node.election.can_be_deaf:
        return
    if node.hearing.silent(now, node.settings.deaf_after):
        node.alarm(AlarmKind.DEAF, "neither servers nor the gateway; the VIP is released", now)
        successor = node.members.last_known_candidate()
        node.depart(Cause.DEAF, State.DEAF, now, successor=successor)
    else:
        node.ask_gateway(now)
