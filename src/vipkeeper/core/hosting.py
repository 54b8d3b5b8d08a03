"""What a node makes of its host: interface, carrier, own address, and VIPs that are there already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vipkeeper.core.actions import AlarmKind, Cause, State
from vipkeeper.core.claim import Phase
from vipkeeper.core.events import Started
from vipkeeper.core.transitions import WAITING
from vipkeeper.core.types import AddressState, HostView, Instant, Record

if TYPE_CHECKING:
    from vipkeeper.core.node import Node


def started(node: Node, event: Started, now: Instant) -> None:
    """Begin: adopt a VIP that is ours from before, remove a leftover, never touch a permanent one."""
    take_view(node, event.host)
    record = event.record
    if record is not None:
        node.epoch = record.epoch
        node.standby = record.standby
        node.hearing.proven = record.gateway
    states = {view.state for view in event.host.vips}
    if AddressState.PERMANENT in states:
        _permanent(node, now)
    elif record is not None and _may_adopt(event.host, record, states, now):
        node.claim_epoch = record.epoch
        node.emit(node.claim.adopt(record.lease_until))
        node.enter(State.HOLDER, Cause.ADOPTED, now)
        node.announcer.start(now)
    elif AddressState.LEASED in states:
        node.depart(Cause.STARTED, State.LISTEN, now, tell=False)
    else:
        rest(node, Cause.STARTED, now)


def _may_adopt(host: HostView, record: Record, states: set[AddressState], now: Instant) -> bool:
    ours = record.holding and states == {AddressState.LEASED} and now < record.lease_until
    return host.usable and ours and not record.standby


def take_view(node: Node, host: HostView) -> None:
    """Remember what the kernel says of this host."""
    node.host = host
    node.hearing.view(host.gateway)


def rest(node: Node, cause: Cause, now: Instant) -> None:
    """Take the waiting state that fits: blocked, standby, or listen before anything else."""
    if node.host is None or not node.host.usable:
        node.enter(State.BLOCKED, cause, now, detail=node.host.detail if node.host else "")
    elif any(view.state is AddressState.PERMANENT for view in node.host.vips):
        _permanent(node, now)
    elif node.standby:
        node.enter(State.STANDBY, cause, now)
    else:
        node.apply(node.election.listen(now, cause), now)


def observed(node: Node, host: HostView, now: Instant) -> None:
    """Take a fresh view of the host."""
    take_view(node, host)
    if any(view.state is AddressState.PERMANENT for view in host.vips):
        _permanent(node, now)
    elif not host.usable:
        _unusable(node, host, now)
    elif node.state is State.BLOCKED:
        rest(node, Cause.LINK_BACK, now)
    elif host.read_at > node.claim.changed_at:
        _compare(node, host, now)


def _permanent(node: Node, now: Instant) -> None:
    detail = "remove it by hand, or take this host out of servers"
    node.alarm(AlarmKind.PERMANENT_VIP, detail, now)
    if node.claim.phase is not Phase.ABSENT:
        node.claim.abandon()
        node.announcer.stop()
        node.save(now)
    departure, node.departure = node.departure, None
    if departure is not None:
        for request in departure.replies:
            node.reply(request, "the VIP is a permanent address of this host now", ok=False)
        if departure.then is State.STOPPED:
            node.stop(departure.cause, now)
            return
    if node.state is not State.BLOCKED:
        node.enter(State.BLOCKED, Cause.FOREIGN_ADDRESS, now)


def _unusable(node: Node, host: HostView, now: Instant) -> None:
    if node.state in (State.HOLDER, State.CLAIM):
        node.depart(Cause.LINK_LOST, State.BLOCKED, now, detail=host.detail)
    elif node.state in WAITING or node.state is State.STANDBY:
        node.enter(State.BLOCKED, Cause.LINK_LOST, now, detail=host.detail)


def _compare(node: Node, host: HostView, now: Instant) -> None:
    states = {view.state for view in host.vips}
    if node.claim.phase is Phase.HELD and AddressState.ABSENT in states:
        node.alarm(AlarmKind.ADDRESS_DELETED, "putting it back if nobody else answers", now)
        if node.members.latest_holder(now) is not None:
            node.depart(Cause.ADDRESS_LOST, State.BACKUP, now, tell=False)
        else:
            node.emit(node.claim.missing(now))
    elif node.claim.phase is Phase.HELD and not all(view.behind_own for view in host.vips):
        node.emit(node.claim.reorder())
    elif node.claim.phase is Phase.ABSENT and AddressState.LEASED in states:
        node.emit(node.claim.release())
