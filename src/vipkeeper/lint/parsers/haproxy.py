"""haproxy.cfg: sections and their directives (HAProxy Configuration Manual, section 2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from vipkeeper.config.tree import Problem, Scalar, Span
from vipkeeper.lint.document import Document, Parsed
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.words import split
from vipkeeper.lint.source import Source

SECTIONS = frozenset(
    [
        *("global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "userlist"),
        *("cache", "mailers", "program", "ring", "http-errors", "fcgi-app", "crt-store"),
        *("log-forward", "log-profile", "traces", "acme"),
    ]
)
_TIME = re.compile(r"(\d+)(us|ms|s|m|h|d)?")
_UNITS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True, slots=True)
class Directive:
    """One line: `words[0]` is the keyword. `no option ...` keeps its `no`."""

    words: tuple[Scalar, ...]

    @property
    def span(self) -> Span:
        """From the first word to the last."""
        first, last = self.words[0].span, self.words[-1].span
        return Span(first.file, first.line, first.column, last.end_line, last.end_column)

    @property
    def text(self) -> str:
        """The words with one space between."""
        return " ".join(word.text for word in self.words)

    def after(self, word: str) -> Scalar | None:
        """What follows a word: `server.after("inter")`."""
        for index, candidate in enumerate(self.words[:-1]):
            if candidate.text == word:
                return self.words[index + 1]
        return None

    def has(self, word: str) -> bool:
        """Whether a word is on the line."""
        return any(candidate.text == word for candidate in self.words)


@dataclass(frozen=True, slots=True)
class Section:
    """A section with its directives."""

    kind: Scalar
    """`frontend`, `backend`, `listen`, `defaults`, `global`."""
    name: Scalar | None
    directives: tuple[Directive, ...]
    _by_keyword: dict[str, list[Directive]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, list[Directive]] = {}
        for directive in self.directives:
            found.setdefault(directive.words[0].text, []).append(directive)
        object.__setattr__(self, "_by_keyword", found)

    def all(self, *words: str) -> tuple[Directive, ...]:
        """The directives that begin with these words: `all("option", "httpchk")`."""
        begun, n = self._by_keyword.get(words[0], ()), len(words)
        return tuple(d for d in begun if tuple(w.text for w in d.words[:n]) == words)

    def first(self, *words: str) -> Directive | None:
        """The first of them."""
        return next(iter(self.all(*words)), None)


@dataclass(frozen=True, slots=True)
class Bind:
    """One address and port that haproxy listens on."""

    section: Section
    address: str
    """Empty or `*`: every address."""
    port: int
    span: Span


@dataclass(frozen=True, slots=True)
class Haproxy(Document):
    """The sections in order."""

    sections: tuple[Section, ...]
    binds: tuple[Bind, ...] = field(init=False, compare=False)
    """Every place where it listens, port ranges left out."""
    _defaults: dict[int, Section] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        defaults: dict[int, Section] = {}
        last: Section | None = None
        for section in self.sections:
            if last is not None:
                defaults[id(section)] = last
            last = section if section.kind.text == "defaults" else last
        object.__setattr__(self, "_defaults", defaults)
        object.__setattr__(self, "binds", tuple(_binds(self.of("frontend", "listen"))))

    def of(self, *kinds: str) -> tuple[Section, ...]:
        """The sections of these kinds."""
        return tuple(section for section in self.sections if section.kind.text in kinds)

    def named(self, kind: str, name: str) -> Section | None:
        """A section by its name."""
        for section in self.of(kind):
            if section.name is not None and section.name.text == name:
                return section
        return None

    def setting(self, section: Section, *words: str) -> Directive | None:
        """A directive of a section, or the one of the `defaults` before it that it inherits."""
        own = section.all(*words)
        if own:
            return own[-1]
        defaults = self._defaults.get(id(section))
        return defaults.first(*words) if defaults is not None else None


def _binds(sections: tuple[Section, ...]) -> Iterator[Bind]:
    for section in sections:
        for word in (d.words[1] for d in section.all("bind") if len(d.words) > 1):
            for part in word.text.split(","):
                address, colon, port = part.rpartition(":")
                if colon and port.isascii() and port.isdigit() and len(port) < 6:
                    yield Bind(section, address.strip("[]"), int(port), word.span)


def parse(source: Source, kind: Kind) -> Parsed:
    """Read a configuration of haproxy."""
    sections: list[Section] = []
    problems: list[Problem] = []
    head: tuple[Scalar, ...] = ()
    body: list[Directive] = []

    def close() -> None:
        if head:
            sections.append(Section(head[0], head[1] if len(head) > 1 else None, tuple(body)))

    for number, line in enumerate(source.lines, 1):
        words = tuple(split(source.file, number, line, comments="#", escapes=True))
        if not words:
            continue
        if words[0].text in SECTIONS and (words[0].span.column == 1 or len(words) > 1):
            close()
            head, body = words, []
        elif head:
            body.append(Directive(words))
        elif not words[0].text.startswith("."):
            message = f"'{words[0].text}' stands before the first section"
            problems.append(Problem(words[0].span, message))
    close()
    return Parsed((Haproxy(kind, source, tuple(sections)),), tuple(problems))


def milliseconds(word: Scalar) -> float | None:
    """A time of haproxy: a number with a unit, milliseconds without."""
    match = _TIME.fullmatch(word.text)
    return float(match[1]) * _UNITS[match[2] or "ms"] if match and len(match[1]) < 12 else None
