"""YAML as a tree in which every key and scalar knows file, line and column.

Scalars keep their raw text: nothing is turned into booleans, octal numbers or dates behind the
reader's back. Reading is total: any bytes give a tree or problems. `parse` takes what our own
configuration may hold; `read` takes foreign files with several documents, aliases and tags too.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from vipkeeper.text import printable

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 40
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file, counted from 1; the end, where known, is the column behind the last one."""

    file: str
    line: int
    column: int
    end_line: int = 0
    end_column: int = 0
    """0: only the beginning is known."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Trouble(enum.Enum):
    """Why a text did not become a tree."""

    UNREADABLE = enum.auto()
    """The file could not be opened or is no regular file."""
    TOO_LARGE = enum.auto()
    ENCODING = enum.auto()
    """Bytes that are not UTF-8, or a character that YAML forbids."""
    BINARY = enum.auto()
    SYNTAX = enum.auto()
    TAB = enum.auto()
    DUPLICATE_KEY = enum.auto()
    EXPANSION = enum.auto()
    """Aliases that would grow the tree beyond any use."""
    TOO_DEEP = enum.auto()
    CYCLE = enum.auto()
    """A file that includes itself, or a link that leads back to itself."""
    EMPTY = enum.auto()
    UNRECOGNISED = enum.auto()
    """Named by the user, and none of the kinds that we know."""
    UNSUPPORTED = enum.auto()
    """Valid, but more than our own configuration takes."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what was expected and what to do."""

    span: Span
    message: str
    trouble: Trouble = Trouble.SYNTAX

    def __str__(self) -> str:
        return f"{self.span}: {printable(self.message)}"


class Style(enum.Enum):
    """How a scalar is written."""

    PLAIN = ""
    SINGLE = "'"
    DOUBLE = '"'
    LITERAL = "|"
    FOLDED = ">"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain or quoted value, as written."""

    span: Span
    text: str
    style: Style = Style.PLAIN
    tag: str | None = None
    """An explicit tag such as `!!str`; None for nearly all."""

    @property
    def quoted(self) -> bool:
        """Whether YAML takes it for text, whatever it looks like."""
        return self.style is not Style.PLAIN


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    span: Span
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys in the order of the file; no key twice."""

    span: Span
    entries: tuple[Entry, ...]

    def entry(self, name: str) -> Entry | None:
        """A key with its value."""
        return next((entry for entry in self.entries if entry.key.text == name), None)

    def get(self, name: str) -> Node | None:
        """The value of a key."""
        entry = self.entry(name)
        return entry.value if entry else None

    def at(self, *path: str | int) -> Node | None:
        """The node that keys and indices lead to, or None where one of them is missing."""
        node: Node | None = self
        for step in path:
            if isinstance(node, Mapping) and isinstance(step, str):
                node = node.get(step)
            elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
            else:
                return None
        return node

    def scalar(self, *path: str | int) -> Scalar | None:
        """The scalar that keys and indices lead to."""
        node = self.at(*path)
        return node if isinstance(node, Scalar) else None

    def mapping(self, *path: str | int) -> Mapping | None:
        """The mapping that keys and indices lead to."""
        node = self.at(*path)
        return node if isinstance(node, Mapping) else None

    def items(self, *path: str | int) -> tuple[Node, ...]:
        """The items of the list that keys and indices lead to; empty without one."""
        node = self.at(*path)
        return node.items if isinstance(node, Sequence) else ()


Node = Scalar | Sequence | Mapping


def shown(text: str, limit: int = 80) -> str:
    """Text of the file as it may stand in a message: one line, printable, not too long."""
    return printable(text if len(text) <= limit else text[: limit - 3] + "...")


def split_lines(text: str) -> list[str]:
    """The lines of a text as YAML counts them (YAML 1.1, section 4.1.3)."""
    return _BREAK.split(text)


def after(before: str, file: str) -> Span:
    """The place that follows this text."""
    return Span(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


def decode(data: bytes, file: str, max_bytes: int = MAX_BYTES) -> str | Problem:
    """The text of a file, or why it is none."""
    if len(data) > max_bytes:
        message = f"the file is larger than {max_bytes} bytes"
        return Problem(Span(file, 1, 1), message, Trouble.TOO_LARGE)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        message = "not UTF-8 text; save the file as UTF-8"
        return Problem(after(before, file), message, Trouble.ENCODING)
