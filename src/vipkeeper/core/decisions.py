"""What the waiting side of an election is told, and what it decides."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.core.actions import Cause, State
from vipkeeper.core.members import Member
from vipkeeper.core.types import Instant


@dataclass(frozen=True, slots=True)
class Change:
    """The waiting side enters another state; CLAIM means: claim the VIP now."""

    state: State
    cause: Cause
    peer: str | None = None
    detail: str = ""
    charged: bool = True
    """With a claim: it counts for the move budget."""


@dataclass(frozen=True, slots=True)
class Resignation:
    """A holder's last word."""

    by: Member
    received: Instant
    """When the kernel received it."""
    names_me: bool
    named: Member | None
    """The other server that it names."""
    planned: bool
    """An operator asked for it."""


@dataclass(frozen=True, slots=True)
class Round:
    """Whom to ask now."""

    server: int | None = None
    """Place of the silent server whose kernel is asked; None: no server's."""
    service: bool = False
    """Its API server too."""
    others: bool = True
    """The other servers and the gateway; else only the VIP."""
