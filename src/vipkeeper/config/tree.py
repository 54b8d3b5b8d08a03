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


def parse(data: bytes, file: str) -> Node | list[Problem]:
    """The tree of one YAML document, or what is wrong with it."""
    start = Span(file, 1, 1)
    if len(data) > MAX_BYTES:
        return [Problem(start, f"the file is larger than {MAX_BYTES} bytes")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return [Problem(Span(file, line, 1), "not UTF-8 text; save the file as UTF-8")]
    try:
        _refuse_aliases(text)
        root = yaml.compose(text, Loader=_LOADER)
    except _RefusedError as error:
        return [Problem(Span(file, error.mark.line + 1, error.mark.column + 1), str(error))]
    except yaml.MarkedYAMLError as error:
        return [_yaml_problem(file, error)]
    except (yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200] or "nested too deeply"
        return [Problem(start, f"not YAML: {reason}")]
    if root is None:
        return [Problem(start, "the file is empty")]
    builder = _Builder(file)
    tree = builder.build(root, 0)
    return builder.problems or tree


class _RefusedError(Exception):
    """Valid YAML that we do not take: an alias makes a small file expand to any size."""

    def __init__(self, reason: str, mark: Any) -> None:
        super().__init__(reason)
        self.mark = mark


def _refuse_aliases(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            reason = "aliases (*name) are not supported: write the value out"
            raise _RefusedError(reason, event.start_mark)
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > MAX_DEPTH:
                raise _RefusedError("nested too deeply", event.start_mark)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1


def _yaml_problem(file: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    span = Span(file, mark.line + 1, mark.column + 1) if mark else Span(file, 1, 1)
    reason = error.problem or "cannot be read"
    if "\\t" in reason or "'\t'" in reason:
        reason = "a tab is used for indentation; use spaces"
    return Problem(span, f"not valid YAML: {reason}")


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
                    Problem(key.span, f"'{key.text}' is given twice (first in line {first})")
                )
                continue
            entries[key.text] = Entry(key, self.build(value_node, depth + 1))
        return Mapping(span, tuple(entries.values()))
