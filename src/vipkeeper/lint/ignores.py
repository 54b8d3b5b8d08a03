"""Comments that keep a finding quiet, with a reason: `# vipkeeper: ignore VK101 the reason`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from vipkeeper.config.tree import Span
from vipkeeper.lint.rule import Finding
from vipkeeper.lint.source import Source

_COMMENT = re.compile(
    r"(?P<mark>[#!;])\s*vipkeeper:\s*ignore(?P<file>-file)?\b"
    r"[\[ ]\s*(?P<codes>[A-Za-z0-9_-]+(?:\s*,\s*[A-Za-z0-9_-]+)*)\]?"
    r"(?:\s+until\s+(?P<until>\S+))?(?P<reason>.*)$"
)
_ALMOST = re.compile(
    r"[#!;]\s*vipkeeper:\s*(?:ign|disable|skip|noqa|nolint|suppress|allow|.{0,60}?\bVK\d{3})",
    re.IGNORECASE,
)
"""Meant to keep something quiet; another comment that begins with our name is none of ours."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment. Behind code it is about its line, alone about the next line with code."""

    span: Span
    codes: tuple[str, ...]
    """Codes or names, as written."""
    lines: range
    """The lines it is about; empty range: the whole file."""
    whole_file: bool
    reason: str
    until: date | None
    malformed: str
    """What is wrong with the comment itself; it keeps nothing quiet then."""

    def covers(self, finding: Finding, name: str) -> bool:
        """Whether it is about this finding, whatever its date."""
        if self.malformed or finding.span.file != self.span.file:
            return False
        if not any(code.upper() == finding.code or code.lower() == name for code in self.codes):
            return False
        return self.whole_file or finding.span.line in self.lines


def find(sources: Iterable[Source]) -> Iterator[Ignore]:
    """Every comment of that kind."""
    for source in sources:
        if "vipkeeper:" not in source.text:
            continue
        following = _next_codes(source)
        for number, line in enumerate(source.lines, 1):
            if "vipkeeper:" not in line:
                continue
            match = _COMMENT.search(line)
            if match is not None:
                yield _ignore(source, number, line, match, following)
            elif (almost := _ALMOST.search(line)) is not None:
                yield _malformed(source, number, almost.start(), line)


def _ignore(
    source: Source, number: int, line: str, match: re.Match[str], following: list[int]
) -> Ignore:
    span = Span(source.file, number, match.start() + 1, number, len(line) + 1)
    codes = tuple(code.strip() for code in match["codes"].split(","))
    reason = match["reason"].strip(" :-")
    alone = not line[: match.start()].strip()
    target = following[number] if alone else number
    malformed, until = "", None
    if match["until"]:
        try:
            until = date.fromisoformat(match["until"])
        except ValueError:
            malformed = f"'{match['until']}' is no date such as 2027-01-31"
    if not reason:
        malformed = "the reason is missing: '# vipkeeper: ignore VK101 why it is right here'"
    whole = bool(match["file"])
    return Ignore(span, codes, range(target, target + 1), whole, reason, until, malformed)


def _malformed(source: Source, number: int, column: int, line: str) -> Ignore:
    span = Span(source.file, number, column + 1, number, len(line) + 1)
    what = "not understood; expected '# vipkeeper: ignore VK101 reason'"
    return Ignore(span, (), range(0), False, "", None, what)


def _next_codes(source: Source) -> list[int]:
    """For each line, from 1, the next one that is neither empty nor a comment; itself where none is."""
    last = len(source.lines)
    found = list(range(last + 1))
    code = 0
    for number in range(last, 0, -1):
        found[number] = code or number
        stripped = source.line(number).strip()
        if stripped and stripped[0] not in "#!;":
            code = number
    return found
