"""Environment files as systemd reads them (systemd.exec(5), EnvironmentFile=)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vipkeeper.config.tree import Problem, Scalar, Span, Style
from vipkeeper.lint.document import Document, Parsed
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.source import Source

_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `NAME=value`; the value without its quotes."""

    name: Scalar
    value: Scalar


@dataclass(frozen=True, slots=True)
class EnvFile(Document):
    """The assignments in order; a later one wins."""

    assignments: tuple[Assignment, ...]

    def get(self, name: str) -> Assignment | None:
        """The assignment that counts."""
        return next((a for a in reversed(self.assignments) if a.name.text == name), None)


def parse(source: Source, kind: Kind) -> Parsed:
    """Read an environment file. A line that is no assignment is ignored by systemd and a problem here."""
    found, problems = [], []
    for number, line in enumerate(source.lines, 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        column = line.index(stripped[0]) + 1
        match = _ASSIGNMENT.fullmatch(stripped)
        if match is None:
            span = Span(source.file, number, column, number, column + len(stripped))
            hint = " (systemd knows no 'export')" if stripped.startswith("export ") else ""
            problems.append(Problem(span, f"not NAME=value; systemd ignores this line{hint}"))
            continue
        found.append(_assignment(source.file, number, column, match))
    return Parsed((EnvFile(kind, source, tuple(found)),), tuple(problems))


def _assignment(file: str, line: int, column: int, match: re.Match[str]) -> Assignment:
    name, raw = match["name"], match["value"]
    start = column + match.start("value")
    style = Style.PLAIN
    text = raw
    if len(raw) >= 2 and raw[0] == raw[-1] and raw[0] in "'\"":
        style, text = Style(raw[0]), raw[1:-1]
    return Assignment(
        Scalar(Span(file, line, column, line, column + len(name)), name),
        Scalar(Span(file, line, start, line, start + len(raw)), text, style),
    )
