"""What arrives from the wire: adverts, refused ones, answers of servers and of the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vipkeeper.core import holding
from vipkeeper.core.actions import AlarmKind
from vipkeeper.core.decisions import Resignation
from vipkeeper.core.events import (
    AdvertReceived,
    AdvertRejected,
    ServerAnswered,
)
from vipkeeper.core.members import Member, Unproven
from vipkeeper.core.transitions import CLAIM, DEAF, HOLDER, WAITING
from vipkeeper.core.types import MILLISECOND, Duration, Instant
from vipkeeper.wire.types import Rejection, Role

if TYPE_CHECKING:
    from vipkeeper.core.node import Node

ANSWER_AT_MOST_EVERY: Duration = 5 * MILLISECOND
"""To one server that asks; whoever is asked more often has just answered."""
RESIGNED = Role.RESIGNED
HOLDING = (HOLDER, CLAIM)
"""States in which another holder is a conflict."""


def sound(node: Node, now: Instant) -> None:
    """Something was received: this server is not deaf."""
    node.hearing.sound(now)
    if node.state is DEAF:
        node.apply(node.election.hears_again(now), now)


def advert_received(node: Node, event: AdvertReceived, now: Instant) -> None:
    """A well-formed, authentic advert."""
    holds = node.state in HOLDING
    # After a stall: when it last had to look, not when it reads what came meanwhile.
    was_alone = holds and not node.members.any_live(min(event.received, node.deadline() or now))
    sound(node, now)
    judged = node.members.accept(event.source, event.advert, event.received)
    match judged:
        case Member():
            _accepted(node, judged, event, was_alone=was_alone, now=now)
            if event.advert.asks or judged.proven_now:
                _answer(node, judged, now)
        case Unproven():
            judged.member.stranger_at = now
            _answer_unproven(node, judged, now)
        case Rejection():
            _reject(node, judged, str(event.source), now)


def advert_rejected(node: Node, event: AdvertRejected, now: Instant) -> None:
    """Bytes on the advert port that are no acceptable advert."""
    sound(node, now)
    listed = next((m for m in node.members if m.server.address == event.source), None)
    if listed is not None and event.reason is Rejection.WRONG_KEY:
        listed.stranger_at = now
    _reject(node, event.reason, str(event.source), now)


def server_answered(node: Node, event: ServerAnswered, now: Instant) -> None:
    """The kernel or the API server of a silent server lives."""
    sound(node, now)
    if node.state in WAITING:
        node.election.server_answered(event.server, event.sign)


def gateway_answered(node: Node, now: Instant) -> None:
    """The gateway hears this server, and is heard."""
    waited, silent_for = node.hearing.unanswered > 1, now - node.hearing.sound_at
    sound(node, now)
    if waited:
        holding.gateway_heard_again(node, silent_for, now)
    if node.hearing.gateway_answered():
        node.save(now)


def _accepted(
    node: Node, member: Member, event: AdvertReceived, *, was_alone: bool, now: Instant
) -> None:
    advert = event.advert
    if advert.epoch != node.epoch:
        node.epoch = max(node.epoch, advert.epoch)
    if member.configuration_differs:
        detail = f"{member.server.name} has another vip or servers list"
        node.alarm(AlarmKind.CONFIGURATION_DIFFERS, detail, now)
    if node.handover_reply is not None and advert.role is Role.HOLDER:
        node.handover_reply = node.handover_reply.answered(member, node, now)
    vouched = node.members.vouched_by(member) if advert.follows is not None else None
    if node.state in HOLDING:
        holding.heard(node, member, advert, was_alone=was_alone, now=now)
    elif node.state not in WAITING:
        return
    elif advert.role is RESIGNED:
        _heard_resignation(node, member, event, now)
    else:
        if (change := node.election.heard(member, now)) is not None:
            node.apply(change, now)
        if vouched is not None and node.state in WAITING:
            node.apply(node.election.vouched(vouched, now), now)


def _heard_resignation(node: Node, member: Member, event: AdvertReceived, now: Instant) -> None:
    successor = None if member.configuration_differs else event.advert.successor
    resignation = Resignation(
        by=member,
        received=event.received,
        names_me=successor == node.settings.own,
        named=node.members.at(successor) if successor is not None else None,
        planned=event.advert.planned,
    )
    node.apply(node.election.resigned(resignation, now), now)


def _answer(node: Node, member: Member, now: Instant) -> None:
    """At once and to this server alone: it asks, or has just become known."""
    if _may_answer(member, ANSWER_AT_MOST_EVERY, now):
        node.send_advert(now, only=member)


def _answer_unproven(node: Node, judged: Unproven, now: Instant) -> None:
    """Show that this server hears it, so that it can prove itself: at most once an interval."""
    if _may_answer(judged.member, node.settings.advert_interval, now):
        node.send_advert(now, only=judged.member, hearing_boot_id=judged.boot_id)


def _may_answer(member: Member, every: Duration, now: Instant) -> bool:
    """True when it was not answered so lately; it then counts as answered."""
    if member.answered is not None and now - member.answered < every:
        return False
    member.answered = now
    return True


def _reject(node: Node, reason: Rejection, source: str, now: Instant) -> None:
    node.ledger.rejected(reason)
    if reason is not Rejection.REPLAYED:
        node.alarm(AlarmKind.ADVERT_REJECTED, f"from {source}: {reason.value}", now)
