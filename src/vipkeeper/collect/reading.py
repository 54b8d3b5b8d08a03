"""What reading a bundle gives: facts, and what could not be read."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from vipkeeper.diagnose.facts import Fact
from vipkeeper.text import printable

MOST_TROUBLES = 50
"""Lines about what could not be collected; the rest is counted."""
LONGEST_TROUBLE = 300


class Kind(enum.Enum):
    """Who wrote a bundle."""

    VIPKEEPER = "vipkeeper collect"
    RANCHER = "Rancher's log collector"


@dataclass(frozen=True, slots=True)
class Reading:
    """What is in a bundle."""

    kind: Kind | None
    """None when it is no bundle."""
    server: str
    """Where it was made; empty when the bundle does not say."""
    made_at: int
    """Milliseconds since 1970; 0: unknown."""
    facts: tuple[Fact, ...]
    troubles: tuple[str, ...]
    """One line each, for 'could not collect'."""


@dataclass(slots=True)
class Troubles:
    """Gathers what could not be collected: each once, and never without end."""

    _lines: dict[str, None] = field(default_factory=dict)
    _left: int = 0

    def add(self, what: str) -> None:
        """One trouble, made fit for one line."""
        line = printable(what)[:LONGEST_TROUBLE]
        if line in self._lines:
            return
        if len(self._lines) < MOST_TROUBLES:
            self._lines[line] = None
        else:
            self._left += 1

    def lines(self) -> tuple[str, ...]:
        """All of them, and how many more there were."""
        more = (f"and {self._left} more troubles of this bundle",) if self._left else ()
        return (*self._lines, *more)
