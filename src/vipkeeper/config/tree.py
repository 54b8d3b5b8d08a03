"""YAML as a tree in which every key and scalar knows file, line and column.

Scalars keep their raw text: nothing is turned into booleans, octal numbers or dates behind the
reader's back. Reading is total: any bytes give a tree or problems.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 40


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file, counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what was expected and what to do."""

    span: Span
    message: str

    def __str__(self) -> str:
        return f"{self.span}: {self.message}"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain or quoted value, as written."""

    span: Span
    text: str
    quoted: bool


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

    def get(self, name: str) -> Node | None:
        """The value of a key."""
        return next((entry.value for entry in self.entries if entry.key.text == name), None)


Node = Scalar | Sequence | Mapping
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def shown(text: str, limit: int = 80) -> str:
    """Text of the file as it may stand in a message: one line, printable, not too long."""
    kept = text if len(text) <= limit else text[: limit - 3] + "..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in kept)


def parse(data: bytes, file: str) -> Node | list[Problem]:
    """The tree of one YAML document, or what is wrong with it."""
    start = Span(file, 1, 1)
    if len(data) > MAX_BYTES:
        return [Problem(start, f"the file is larger than {MAX_BYTES} bytes")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        return [Problem(_after(before, file), "not UTF-8 text; save the file as UTF-8")]
    try:
        _screen(text)
        root = yaml.compose(text, Loader=_LOADER)
    except _RefusedError as error:
        return [Problem(Span(file, error.mark.line + 1, error.mark.column + 1), str(error))]
    except yaml.MarkedYAMLError as error:
        return [_yaml_problem(file, error)]
    except yaml.YAMLError:  # the reader's own error, which knows no line
        return [_unprintable(file, text)]
    if root is None:
        return [Problem(start, "the file is empty")]
    builder = _Builder(file)
    tree = builder.build(root, 0)
    return builder.problems or tree


class _RefusedError(Exception):
    """Valid YAML that we do not take."""

    def __init__(self, reason: str, mark: Any) -> None:
        super().__init__(reason)
        self.mark = mark


def _screen(text: str) -> None:
    """Refuse what a tree of nodes would hide or choke on, before there is one.

    An alias makes a small file expand to any size, depth exhausts the stack, a tag changes what a value
    means, and of a second document nothing would be read.
    """
    depth = documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        reason = None
        if isinstance(event, yaml.AliasEvent):
            reason = "aliases (*name) are not supported: write the value out"
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            reason = "a second document begins here; expected one" if documents > 1 else None
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        elif isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)):
            if event.tag is not None:
                reason = "tags (!name) are not supported: write the value alone"
            depth += isinstance(event, yaml.CollectionStartEvent)
            reason = "nested too deeply" if depth > MAX_DEPTH else reason
        if reason is not None:
            raise _RefusedError(reason, event.start_mark)


def _yaml_problem(file: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    span = Span(file, mark.line + 1, mark.column + 1) if mark else Span(file, 1, 1)
    reason = error.problem or "cannot be read"
    if "\\t" in reason or "'\t'" in reason or "tab character" in reason:
        reason = "a tab is used for indentation; use spaces"
    return Problem(span, f"not valid YAML: {reason}")


def _unprintable(file: str, text: str) -> Problem:
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if found is None:
        return Problem(Span(file, 1, 1), "not YAML: it holds a character that is not allowed")
    shown = f"U+{ord(found[0]):04X}"
    return Problem(_after(text[: found.start()], file), f"control character {shown}; remove it")


def _after(before: str, file: str) -> Span:
    """The place that follows this text."""
    return Span(file, before.count("\n") + 1, len(before) - before.rfind("\n"))


class _Builder:
    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[Problem] = []

    def _span(self, node: yaml.Node) -> Span:
        return Span(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def build(self, node: yaml.Node, depth: int) -> Node:
        span = self._span(node)
        if isinstance(node, yaml.ScalarNode):
            return Scalar(span, node.value, node.style is not None)
        if isinstance(node, yaml.SequenceNode):
            return Sequence(span, tuple(self.build(item, depth + 1) for item in node.value))
        assert isinstance(node, yaml.MappingNode)
        entries: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem(self._span(key_node), "a key must be plain text"))
                continue
            key = Scalar(self._span(key_node), key_node.value, key_node.style is not None)
            if key.text in entries:
                first = entries[key.text].key.span.line
                self.problems.append(
                    Problem(key.span, f"'{shown(key.text)}' is given twice (first in line {first})")
                )
                continue
            entries[key.text] = Entry(key, self.build(value_node, depth + 1))
        return Mapping(span, tuple(entries.values()))
