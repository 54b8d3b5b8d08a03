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


class Software(enum.Enum):
    """A program whose releases differ for some rule; the value is its name."""

    KUBE_VIP = "kube-vip"
    KEEPALIVED = "keepalived"
    HAPROXY = "haproxy"
    RKE2 = "rke2"
    K3S = "k3s"


@dataclass(frozen=True, slots=True)
class VersionRange:
    """The releases of a program in which a rule applies: `since` included, `before` not."""

    software: Software
    since: str = ""
    before: str = ""

    def __str__(self) -> str:
        since = f" since {self.since}" if self.since else ""
        before = f" before {self.before}" if self.before else ""
        return f"{self.software.value}{since}{before}"


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
class Remedy:
    """One step of a fix."""

    risk: str
    """safe, disruptive or destructive."""
    text: str
    command: str
    only_if: str


@dataclass(frozen=True, slots=True)
class Cause:
    """One code of a cause that `why` finds: its page in parts, and whole."""

    code: str
    name: str
    layer: str
    """Where it lives: configuration, process, datastore, network, tls or client."""
    title: str
    what: str
    chain: tuple[str, ...]
    """How it leads to the symptoms."""
    explains: tuple[str, ...]
    apart: str
    """How to tell it from its rivals."""
    fixes: tuple[Remedy, ...]
    verify: tuple[str, ...]
    references: str
    document: str
    """The whole page, in Markdown."""

    @property
    def url(self) -> str:
        """Where the page is in the repository's documents."""
        return f"docs/causes/{self.code}.md"


@dataclass(frozen=True, slots=True)
class Retired:
    """A code that was given up: never used again, still explained."""

    code: str
    name: str
    since: str
    """The release without it."""
    reason: str
