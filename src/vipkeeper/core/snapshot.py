"""What a node knows, read without changing it."""

from __future__ import annotations

from vipkeeper.core.actions import State
from vipkeeper.core.members import Member
from vipkeeper.core.node import Node
from vipkeeper.core.status import NodeStatus, ServerStatus
from vipkeeper.core.types import Instant


def status(node: Node, now: Instant) -> NodeStatus:
    """The snapshot for status, metrics and the control socket."""
    own = node.settings.servers[node.settings.own]
    holder = _holder(node, now)
    successor = next((m for m in node.members.candidates(now) if m.server.name != holder), None)
    successor_name = successor.server.name if successor is not None else None
    if holder not in (None, own.name) and not node.standby and _outranks(node, successor):
        successor_name = own.name
    return NodeStatus(
        at=now,
        server=own.name,
        state=node.state,
        since=node.since,
        epoch=node.epoch,
        holder=holder,
        successor=successor_name,
        vips=node.settings.vips,
        lease_until=node.claim.lease_until if node.claim.held else None,
        health=node.gate.health,
        checks=node.gate.checks(now),
        standby=node.standby,
        host=node.host,
        servers=_servers(node, now),
        alarms=node.ledger.alarms(),
        rejected=node.ledger.rejections(),
        transitions=node.ledger.transitions(),
        adverts_sent=node.voice.sent,
        announcements_sent=node.announcements_sent,
    )


def _holder(node: Node, now: Instant) -> str | None:
    if node.state is State.HOLDER:
        return node.settings.servers[node.settings.own].name
    holder = node.members.latest_holder(now)
    return holder.server.name if holder is not None else None


def _outranks(node: Node, other: Member | None) -> bool:
    return other is None or (node.gate.health, -node.settings.own) > other.rank


def _servers(node: Node, now: Instant) -> tuple[ServerStatus, ...]:
    members = {member.index: member for member in node.members}
    rows = []
    for index, server in enumerate(node.settings.servers):
        member = members.get(index)
        rows.append(_own_row(node) if member is None else _row(node, member, now))
        assert rows[-1].name == server.name
    return tuple(rows)


def _own_row(node: Node) -> ServerStatus:
    own = node.settings.servers[node.settings.own]
    return ServerStatus(
        name=own.name,
        address=own.address,
        own=True,
        role=node.role,
        health=node.gate.health,
        standby=node.standby or node.state is State.BLOCKED,
        epoch=node.epoch,
        last_advert_age=0,
        live=True,
        configuration_differs=False,
        adverts_received=0,
    )


def _row(node: Node, member: Member, now: Instant) -> ServerStatus:
    return ServerStatus(
        name=member.server.name,
        address=member.server.address,
        own=False,
        role=member.advert.role if member.advert is not None else None,
        health=member.health,
        standby=member.advert.standby if member.advert is not None else False,
        epoch=member.advert.epoch if member.advert is not None else 0,
        last_advert_age=max(0, now - member.last) if member.last is not None else None,
        live=node.members.live(member, now),
        configuration_differs=member.configuration_differs,
        adverts_received=member.received,
    )
