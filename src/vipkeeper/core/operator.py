"""What an operator may ask of a live daemon: handover, release, standby, shutdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vipkeeper.core import hosting
from vipkeeper.core.actions import Cause, Reply, State
from vipkeeper.core.events import Commanded, Verb
from vipkeeper.core.members import Member
from vipkeeper.core.policy import refusal
from vipkeeper.core.types import MILLISECOND, SECOND, Duration, Instant

if TYPE_CHECKING:
    from vipkeeper.core.node import Node

HANDOVER_ANSWER_WITHIN: Duration = 2 * SECOND


@dataclass(frozen=True, slots=True)
class PendingReply:
    """A handover that is under way; answered when the successor's claim is heard."""

    id: int
    asked_at: Instant
    until: Instant

    def answered(self, member: Member, node: Node, now: Instant) -> PendingReply | None:
        """A holder is heard: the handover is done (None), unless this server has not let go yet."""
        if node.state in (State.HOLDER, State.RELEASE):
            return self
        took = (now - self.asked_at) / MILLISECOND
        node.reply(self.id, f"{member.server.name} holds the VIP ({took:.1f} ms)")
        return None

    def taken_back(self, node: Node) -> None:
        """Nobody claimed, so this server does again."""
        text = "nobody claimed the VIP: this server holds it again"
        node.reply(self.id, text, ok=False)

    def expired(self, node: Node) -> None:
        """Nobody was heard claiming in time."""
        node.reply(self.id, "released, but no claim was heard yet: see status", ok=False)


def command(node: Node, event: Commanded, now: Instant) -> None:
    """Carry out one request; it is answered by one `Reply`, now or when it is done."""
    match event.verb:
        case Verb.SHUTDOWN:
            _shutdown(node, event, now)
        case Verb.RELEASE:
            _release(node, event, now)
        case Verb.STANDBY_ON:
            _standby_on(node, event, now)
        case Verb.STANDBY_OFF:
            _standby_off(node, event, now)
        case Verb.HANDOVER:
            _handover(node, event, now)


def released_reply(request: int, successor: Member | None) -> Reply:
    """The answer once the VIP is gone from this server."""
    to = f"; {successor.server.name} was named as successor" if successor is not None else ""
    return Reply(request, True, f"the VIP is released{to}")


def _here(node: Node) -> bool:
    return node.state in (State.HOLDER, State.CLAIM, State.RELEASE)


def _best(node: Node, now: Instant) -> Member | None:
    successors = node.members.successors(now)
    return successors[0] if successors else None


def _shutdown(node: Node, event: Commanded, now: Instant) -> None:
    if _here(node):
        best = _best(node, now)
        node.depart(Cause.SHUTDOWN, State.STOPPED, now, successor=best, reply=event.id)
    elif node.state is not State.STOPPED:
        node.reply(event.id, "stopping; this server did not hold the VIP")
        node.stop(Cause.SHUTDOWN, now)


def _release(node: Node, event: Commanded, now: Instant) -> None:
    node.standby = True
    if _here(node):
        best = _best(node, now)
        node.depart(Cause.RELEASED, State.STANDBY, now, successor=best, reply=event.id)
        return
    _enter_standby(node, Cause.RELEASED, now)
    node.reply(
        event.id, "this server does not hold the VIP and will not claim it until standby off"
    )


def _standby_on(node: Node, event: Commanded, now: Instant) -> None:
    best = _best(node, now)
    if _here(node) and best is None and not event.force:
        node.reply(
            event.id, "refused: no other server can take the VIP over (--force does it)", ok=False
        )
        return
    node.standby = True
    if _here(node):
        node.depart(Cause.STANDBY, State.STANDBY, now, successor=best, reply=event.id)
        return
    _enter_standby(node, Cause.STANDBY, now)
    node.reply(event.id, "this server will not claim the VIP until standby off")


def _enter_standby(node: Node, cause: Cause, now: Instant) -> None:
    node.save(now)
    if node.state not in (State.STANDBY, State.BLOCKED, State.STOPPED):
        node.enter(State.STANDBY, cause, now)


def _standby_off(node: Node, event: Commanded, now: Instant) -> None:
    node.standby = False
    node.save(now)
    if node.state is State.STANDBY:
        hosting.rest(node, Cause.STANDBY, now)
    node.reply(event.id, "this server may claim the VIP again")


def _handover(node: Node, event: Commanded, now: Instant) -> None:
    if node.state is not State.HOLDER:
        holder = node.members.latest_holder(now)
        where = f"; {holder.server.name} does, ask there" if holder is not None else ""
        node.reply(event.id, f"refused: this server does not hold the VIP{where}", ok=False)
        return
    target, problem = _target(node, event, now)
    if target is None:
        node.reply(event.id, f"refused: {problem}", ok=False)
        return
    if node.handover_reply is not None:
        node.handover_reply.expired(node)
    node.depart(Cause.HANDOVER, State.BACKUP, now, successor=target)
    node.handover_reply = PendingReply(event.id, now, now + HANDOVER_ANSWER_WITHIN)


def _target(node: Node, event: Commanded, now: Instant) -> tuple[Member | None, str]:
    if event.to is None:
        serving = [m for m in node.members.successors(now) if m.health.serves]
        found = serving or (node.members.candidates(now) if event.force else [])
        return (found[0] if found else None), "no other server is live and ready"
    own = node.settings.servers[node.settings.own].name
    if event.to == own:
        return None, f"{own} is this server and holds the VIP already"
    member = node.members.named(event.to)
    if member is None:
        known = ", ".join(m.server.name for m in node.members) or "none"
        return None, f"{event.to} is not in servers (others: {known})"
    problem = refusal(member, node.members, now)
    if problem is not None and not event.force:
        return None, f"{problem} (--force does it)"
    return member, ""
