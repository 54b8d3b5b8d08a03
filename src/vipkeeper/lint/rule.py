"""What a rule is made of: its specification, its findings, their fixes. Rule files import from here.

A rule is a module `lint/rules/<family>/vk###_name.py` with a docstring (its page), `RULE` and
`check(scope)`, which yields `RULE.finding(...)` for each place where something is wrong.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from vipkeeper.catalog.entry import Confidence, Reach, Severity, Software, VersionRange
from vipkeeper.config.tree import Entry, Span
from vipkeeper.lint.kinds import Kind

__all__ = [
    "Confidence",
    "Edit",
    "Finding",
    "Fix",
    "Kind",
    "Reach",
    "Related",
    "Rule",
    "Safety",
    "Severity",
    "Software",
    "VersionRange",
    "remove_entry",
    "replace",
]


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a finding is about, and what is there."""

    span: Span
    message: str


class Safety(enum.Enum):
    """Whether an edit may be made without a human's look."""

    SAFE = "safe"
    """Keeps what the file means for everything but the mistake."""
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what a span covers; the span must have an end."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that mend a finding, all or none of them."""

    title: str
    edits: tuple[Edit, ...]
    safety: Safety = Safety.UNSAFE


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake at one place."""

    code: str
    severity: Severity
    confidence: Confidence
    message: str
    """What is wrong here, with the values of the file: one line."""
    span: Span
    help: str = ""
    """What to write instead, with the values of the file; empty: what the rule's page says."""
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    versions: tuple[VersionRange, ...] = ()
    """The releases that it is about, of one program; empty: all. Others never see it (`releases.py`)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The specification of a rule."""

    code: str
    name: str
    severity: Severity
    reach: Reach
    kinds: tuple[Kind, ...]
    """FILE: called for each document of these kinds. SERVER, CLUSTER: called if there is one of them."""
    confidence: Confidence = Confidence.CERTAIN
    versions: tuple[VersionRange, ...] = ()
    """The releases that its findings are about; `finding` narrows them down to some of these."""
    conditional: bool = False
    """Whether it is given keepalived's lines behind `@` as they stand; others see what each id makes of them."""

    def finding(
        self,
        span: Span,
        message: str,
        *,
        help: str = "",
        related: Iterable[Related] = (),
        fix: Fix | None = None,
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        versions: tuple[VersionRange, ...] | None = None,
    ) -> Finding:
        """A finding of this rule; grades and releases only where they differ from the rule's own."""
        return Finding(
            code=self.code,
            severity=severity or self.severity,
            confidence=confidence or self.confidence,
            message=message,
            span=span,
            help=help,
            related=tuple(related),
            fix=fix,
            versions=self.versions if versions is None else versions,
        )


def replace(span: Span, text: str, title: str, safety: Safety = Safety.UNSAFE) -> Fix:
    """A fix that writes something else in one place."""
    return Fix(title, (Edit(span, text),), safety)


def remove_entry(entry: Entry, title: str, safety: Safety = Safety.UNSAFE) -> Fix:
    """A fix that removes a key with its value, whole lines, from a block mapping."""
    start, end = entry.key.span, entry.value.span
    last = end.end_line if end.end_column > 1 else end.end_line - 1
    span = Span(start.file, start.line, 1, max(last, start.line) + 1, 1)
    return Fix(title, (Edit(span, ""),), safety)
