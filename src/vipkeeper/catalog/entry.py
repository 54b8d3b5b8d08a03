"""One code of the table, and the words that grade a finding."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

CODE = re.compile(r"VK\d{3}")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Severity(enum.Enum):
    """How bad it is if the finding is right."""

    ERROR = "error"
    """The cluster does not start, the VIP does not answer, or the setting does nothing at all."""
    WARNING = "warning"
    """It works until something fails, or only by luck."""
    INFO = "info"
    """Worth knowing; nothing must change."""

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class Confidence(enum.Enum):
    """How sure the rule is that the finding is right, from what the files say alone."""

    CERTAIN = "certain"
    LIKELY = "likely"
    """Right unless something outside these files says otherwise."""
    POSSIBLE = "possible"


class Reach(enum.Enum):
    """How much a rule looks at."""

    FILE = "file"
    SERVER = "server"
    CLUSTER = "cluster"
    RUN = "run"
    """The run of the linter itself: its ignore comments."""


@dataclass(frozen=True, slots=True)
class VersionRange:
    """The releases of a product in which a rule applies: `since` included, `before` not."""

    product: str
    since: str = ""
    before: str = ""

    def __str__(self) -> str:
        parts = [f"since {self.since}" if self.since else "", f"before {self.before}"]
        return " ".join(
            [self.product, *(part for part in parts[: 2 if self.before else 1] if part)]
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One code: its grades and its page."""

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    reach: Reach
    kinds: tuple[str, ...]
    """The kinds of files that are read, in words."""
    versions: tuple[VersionRange, ...]
    page: Page

    @property
    def url(self) -> str:
        """Where the page is in the repository's documents."""
        return f"docs/rules/{self.code}.md"


@dataclass(frozen=True, slots=True)
class Page:
    """What is said about a code. Each part is Markdown."""

    title: str
    what: str
    why: str
    bad: str
    good: str
    fix: str
    verify: str
    references: str


@dataclass(frozen=True, slots=True)
class Retired:
    """A code that was given up: never used again, still explained."""

    code: str
    name: str
    since: str
    """The release without it."""
    reason: str
