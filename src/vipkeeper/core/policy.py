"""When a holder gives the VIP away of its own accord, and to whom. Pure functions of what is known."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.core.actions import Cause
from vipkeeper.core.gate import UNREADY, Gate
from vipkeeper.core.members import Member, Members, rank
from vipkeeper.core.types import Instant, Settings
from vipkeeper.wire.types import Health


@dataclass(frozen=True, slots=True)
class Move:
    """Hand over to this server, now or (when `at` lies ahead) if nothing changes until then."""

    to: Member
    cause: Cause
    at: Instant


def planned_move(
    settings: Settings, gate: Gate, members: Members, now: Instant, held_since: Instant
) -> Move | None:
    """The move that health or preemption asks of a holder, the earliest one; None when it stays.

    An unready holder stays while nobody is known to serve (all unready together, or unknown): a VIP
    on nobody helps no one. Where nobody serves any more (refused, stalled) it moves at once; after a soft
    failure when holder and one and the same peer have been unready and ready for `soft_failure_after`.
    """
    if gate.health is not UNREADY and settings.preempt_after is None:
        return None
    serving = [m for m in members.successors(now) if m.health.serves and m.ready_since is not None]
    if not serving:
        return None
    if gate.health is UNREADY:
        return _away_from_unready(settings, gate, serving, now)
    return _preempted(settings, gate, serving, held_since)


def _away_from_unready(
    settings: Settings, gate: Gate, serving: list[Member], now: Instant
) -> Move | None:
    if gate.refused or gate.stalled:
        return Move(serving[0], Cause.API_DOWN if gate.refused else Cause.API_STALLED, now)
    unready_since = gate.unready_since if gate.unready_since is not None else now
    moves = [
        Move(
            member,
            Cause.API_UNREADY,
            max(unready_since, member.ready_since or now) + settings.soft_failure_after,
        )
        for member in serving
    ]
    due = [move for move in moves if move.at <= now]
    return due[0] if due else min(moves, key=lambda move: move.at)


def _preempted(
    settings: Settings, gate: Gate, serving: list[Member], held_since: Instant
) -> Move | None:
    """Counted from this server's own claim too: an operator's handover must not be undone at once."""
    if settings.preempt_after is None or gate.health is Health.UNKNOWN:
        return None
    own = rank(gate.health, settings.own)
    better = [m for m in serving if m.rank > own and m.ready_since is not None]
    if not better:
        return None
    best = better[0]
    since = max(best.ready_since or 0, held_since)
    return Move(best, Cause.PREEMPTED, since + settings.preempt_after)


def refusal(member: Member, members: Members, now: Instant) -> str | None:
    """Why a handover to this server is refused without force; None when it may go ahead."""
    name = member.server.name
    if not members.live(member, now):
        return f"{name} is silent (no advert within the suspect time)"
    if not member.may_claim:
        return f"{name} is in standby or has no usable interface"
    if not members.hears_us(member):
        return f"{name} does not hear this server"
    if not member.health.serves:
        return f"{name} is not known to be ready (health: {member.health.name.lower()})"
    return None
