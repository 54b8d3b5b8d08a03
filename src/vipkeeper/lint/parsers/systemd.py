"""systemd units and drop-ins (systemd.syntax(7))."""

from __future__ import annotations

from dataclasses import dataclass

from vipkeeper.config.tree import Problem, Scalar, Span
from vipkeeper.lint.document import Document, Parsed
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.source import Source


@dataclass(frozen=True, slots=True)
class Directive:
    """One `Key=value` of a section; continued lines are joined by spaces."""

    section: str
    key: Scalar
    value: Scalar


@dataclass(frozen=True, slots=True)
class Unit(Document):
    """The directives in order. An empty value resets a list."""

    directives: tuple[Directive, ...]

    @property
    def name(self) -> str:
        """The unit, for a drop-in the one it belongs to: `rke2-server.service`."""
        folder, _, name = self.source.file.rpartition("/")
        return folder.rpartition("/")[2].removesuffix(".d") if self.is_dropin else name

    @property
    def is_dropin(self) -> bool:
        """Whether it changes a unit and is none itself."""
        return self.source.file.rpartition("/")[0].endswith(".d")

    def all(self, section: str, key: str) -> tuple[Directive, ...]:
        """Every directive of that name that still counts after resets."""
        kept: list[Directive] = []
        for directive in self.directives:
            if (directive.section, directive.key.text) == (section, key):
                kept = [*kept, directive] if directive.value.text else []
        return tuple(kept)


def parse(source: Source, kind: Kind) -> Parsed:
    """Read a unit file."""
    found: list[Directive] = []
    problems: list[Problem] = []
    section = ""
    number = 0
    while number < len(source.lines):
        number += 1
        line = source.lines[number - 1]
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        span = Span(source.file, number, line.index(stripped[0]) + 1, number, len(line) + 1)
        if stripped.startswith("[") and stripped.endswith("]"):
            section = stripped[1:-1]
            continue
        key, equals, _ = stripped.partition("=")
        if not equals or not section:
            what = "before the first section" if equals else "not Key=value"
            problems.append(Problem(span, f"{what}; systemd ignores this line"))
            continue
        name = Scalar(_part(span, 0, len(key.rstrip())), key.rstrip())
        offset = line.index("=") + 1
        offset += len(line[offset:]) - len(line[offset:].lstrip())
        parts = [line[offset:].rstrip()]
        end, last = number, line
        while parts[-1].endswith("\\") and number < len(source.lines):
            number += 1
            last = source.lines[number - 1]
            if last.strip()[:1] not in ("#", ";"):
                parts[-1] = parts[-1][:-1].rstrip()
                parts.append(last.strip())
            end = number
        text = " ".join(parts)
        value = Span(source.file, span.line, offset + 1, end, len(last.rstrip()) + 1)
        found.append(Directive(section, name, Scalar(value, text)))
    return Parsed((Unit(kind, source, tuple(found)),), tuple(problems))


def _part(span: Span, start: int, length: int) -> Span:
    first = span.column + start
    return Span(span.file, span.line, first, span.line, first + length)
