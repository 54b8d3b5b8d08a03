"""What a predicate reports."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.core.types import Instant


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise was broken."""

    at: Instant
    """When it was certain."""
    invariant: str
    """Its id: S1, L3, ..."""
    server: str | None
    text: str
    """What was found and what the bound is, in one line."""
