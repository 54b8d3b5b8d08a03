"""What follows when the kernel has answered: holding, gone, refused, lapsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vipkeeper.core import hosting, operator
from vipkeeper.core.actions import AlarmKind, Cause, State
from vipkeeper.core.claim import ClaimResult, Phase
from vipkeeper.core.events import AddressesDone
from vipkeeper.core.members import Member
from vipkeeper.core.suspicion import RANK_DELAY
from vipkeeper.core.types import SECOND, Instant

if TYPE_CHECKING:
    from vipkeeper.core.node import Node

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


def done(node: Node, event: AddressesDone, now: Instant) -> None:
    """An address action has ended."""
    result = node.claim.done(event)
    if node.claim.lapsed(now):
        # The kernel took longer than the lease: the VIP came too late to be held.
        node.depart(Cause.LEASE_LAPSED, State.LISTEN, now, tell=False)
        return
    match result:
        case ClaimResult.HELD:
            _holding(node, now)
        case ClaimResult.RESTORED:
            node.alarm(AlarmKind.ADDRESS_DELETED, "put back", now)
            node.announcer.start(now)
            node.save(now)
        case ClaimResult.GONE if node.departure is not None:
            _departed(node, node.departure, now)
        case ClaimResult.FAILED:
            _refused_by_kernel(node, event, now)
        case ClaimResult.LAPSED:
            node.announcer.stop()
            node.save(now)
            hosting.rest(node, Cause.LEASE_LAPSED, now)
        case None if node.claim.phase is Phase.HELD:
            node.save(now)
        case _:
            pass


def _holding(node: Node, now: Instant) -> None:
    if node.handover_reply is not None:
        node.handover_reply.taken_back(node)
        node.handover_reply = None
    node.enter(State.HOLDER, node.claim_cause, now, peer=node.claim_peer)
    node.send_advert(now)
    node.announcer.start(now)
    if node.announcer.due(now, quiet=False):
        node.announce()
    node.save(now)


def _departed(node: Node, departure: Departure, now: Instant) -> None:
    node.departure = None
    lapsed = departure.cause is Cause.LEASE_LAPSED and node.members.latest_holder(now) is None
    if departure.tell or lapsed:
        _resign(node, departure, now)
    node.save(now)
    for reply in departure.replies:
        node.emit([operator.released_reply(reply, departure.successor)])
    match departure.then:
        case State.STOPPED:
            node.stop(departure.cause, now)
        case State.DEAF:
            node.apply(node.election.fall_deaf(now), now)
        case State.BACKUP:
            _after_yielding(node, departure.cause, now)
        case _:
            hosting.rest(node, departure.cause, now)


def _resign(node: Node, departure: Departure, now: Instant) -> None:
    for _ in range(RESIGNATION_COPIES):
        node.send_advert(now, resigning=departure)


def _after_yielding(node: Node, cause: Cause, now: Instant) -> None:
    if node.host is None or not node.host.usable:
        hosting.rest(node, cause, now)
        return
    holder = node.members.latest_holder(now)
    if holder is not None:
        node.apply(node.election.follow(holder, cause), now)
        return
    others_first = RANK_DELAY * len(node.settings.servers)
    wait_until = now + node.settings.suspect_after + others_first
    node.apply(node.election.wait(cause, wait_until), now)


def _refused_by_kernel(node: Node, event: AddressesDone, now: Instant) -> None:
    node.alarm(AlarmKind.ADDRESS_FAILED, event.detail, now)
    node.announcer.stop()
    _resign(node, Departure(Cause.ADDRESS_FAILED, State.BACKUP), now)
    node.save(now)
    change = node.election.wait(Cause.ADDRESS_FAILED, now + CLAIM_AGAIN_AFTER)
    node.apply(change, now)
