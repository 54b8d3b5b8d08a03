"""The one place where YAML is parsed: from the parser's events to trees with places, in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from vipkeeper.config.tree import (
    MAX_DEPTH,
    Entry,
    Mapping,
    Node,
    Problem,
    Scalar,
    Sequence,
    Span,
    Style,
    Trouble,
    after,
    decode,
    shown,
    split_lines,
)

MAX_NODES = 200_000
"""More nodes than this, aliases counted as what they stand for, are an attack or a mistake."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STYLES: dict[str | None, Style] = {style.value: style for style in Style} | {None: Style.PLAIN}


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one file. With problems, what could be read before them."""

    roots: tuple[Node, ...]
    problems: tuple[Problem, ...]


def parse(data: bytes, file: str) -> Node | list[Problem]:
    """The tree of one YAML document as our own configuration has it, or what is wrong with it.

    An alias makes a small file expand to any size, a tag changes what a value means, and of a second
    document nothing would be read: all three are refused.
    """
    text = decode(data, file)
    if isinstance(text, Problem):
        return [text]
    found = read(text, file, strict=True)
    if found.problems:
        return list(found.problems)
    if not found.roots:
        return [Problem(Span(file, 1, 1), "the file is empty", Trouble.EMPTY)]
    return found.roots[0]


def read(text: str, file: str, *, strict: bool = False) -> Documents:
    """Every document of a text. Aliases stand for a copy of what they name, `<<` is resolved.

    Of a key given twice the last value is kept, as most readers do, and a problem says where. Any
    other problem ends the reading.
    """
    builder = _Builder(file, strict)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except _RefusedError as error:
        builder.problems.append(error.problem)
    except yaml.MarkedYAMLError as error:
        builder.problems.append(_yaml_problem(file, error, text))
    except yaml.YAMLError:  # the reader's own error, which knows no line
        builder.problems.append(_unprintable(file, text))
    return Documents(tuple(builder.roots), tuple(builder.problems))


class _RefusedError(Exception):
    """Valid YAML that we do not take."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    span: Span
    mapping: bool
    anchor: str | None
    items: list[Node] = field(default_factory=list)


class _Builder:
    """Builds the trees; the state is the stack of open collections."""

    def __init__(self, file: str, strict: bool) -> None:
        self._file = file
        self._strict = strict
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._nodes = 0
        self.roots: list[Node] = []
        self.problems: list[Problem] = []

    def take(self, event: Any) -> None:
        """Use one event of the parser."""
        if isinstance(event, yaml.ScalarEvent):
            self._count(1, event)
            style = _STYLES[event.style]
            tag = self._tag(event)
            self._put(Scalar(self._span(event), event.value, style, tag), event.anchor)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._count(1, event)
            self._tag(event)
            if len(self._stack) >= MAX_DEPTH:
                self._refuse(event, "nested too deeply", Trouble.TOO_DEEP)
            mapping = isinstance(event, yaml.MappingStartEvent)
            self._stack.append(_Open(self._span(event), mapping, event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
            if self._strict and self.roots:
                self._refuse(event, "a second document begins here; expected one")

    def _refuse(self, event: Any, message: str, trouble: Trouble = Trouble.UNSUPPORTED) -> None:
        raise _RefusedError(Problem(self._span(event), message, trouble))

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self._refuse(event, f"more than {MAX_NODES} values", Trouble.EXPANSION)

    def _tag(self, event: Any) -> str | None:
        if event.tag is not None and self._strict:
            self._refuse(event, "tags (!name) are not supported: write the value alone")
        tag: str | None = event.tag
        return tag

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self._file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _close(self, event: Any) -> None:
        top = self._stack.pop()
        end = event.end_mark
        start = top.span
        span = Span(start.file, start.line, start.column, end.line + 1, end.column + 1)
        node = self._mapping(span, top.items) if top.mapping else Sequence(span, tuple(top.items))
        self._put(node, top.anchor)

    def _put(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, _size(node))
        if self._stack:
            self._stack[-1].items.append(node)
        elif not (isinstance(node, Scalar) and not node.text and not node.quoted):
            self.roots.append(node)

    def _alias(self, event: Any) -> None:
        if self._strict:
            self._refuse(event, "aliases (*name) are not supported: write the value out")
        if event.anchor not in self._anchors:
            reason = "is not defined before this place"
            if any(event.anchor == level.anchor for level in self._stack):
                reason = "refers to what it is part of"
            message = f"the alias '*{shown(event.anchor)}' {reason}"
            self._refuse(event, message, Trouble.EXPANSION)
        node, size = self._anchors[event.anchor]
        self._count(size, event)
        self._put(node, None)

    def _mapping(self, span: Span, items: list[Node]) -> Mapping:
        entries: dict[str, Entry] = {}
        merged: list[Entry] = []
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, Scalar):
                self.problems.append(Problem(key.span, "a key must be plain text"))
                continue
            if key.text == "<<" and not key.quoted and not self._strict:
                merged += _merged(value)
                continue
            if key.text in entries:
                first = entries[key.text].key.span.line
                message = f"'{shown(key.text)}' is given twice (first in line {first})"
                self.problems.append(Problem(key.span, message, Trouble.DUPLICATE_KEY))
                if self._strict:
                    continue
            entries[key.text] = Entry(key, value)
        for entry in merged:
            entries.setdefault(entry.key.text, entry)
        return Mapping(span, tuple(entries.values()))


def _merged(value: Node) -> Iterator[Entry]:
    """What `<<` brings into a mapping, the first of several first."""
    for node in value.items if isinstance(value, Sequence) else (value,):
        if isinstance(node, Mapping):
            yield from node.entries


def _size(node: Node) -> int:
    """How many nodes a tree has. Bounded, since the tree itself was counted."""
    total, rest = 0, [node]
    while rest and total <= MAX_NODES:
        top = rest.pop()
        total += 1
        if isinstance(top, Mapping):
            rest += [part for entry in top.entries for part in (entry.key, entry.value)]
        elif isinstance(top, Sequence):
            rest += top.items
    return total


def _yaml_problem(file: str, error: yaml.MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    span = Span(file, mark.line + 1, mark.column + 1) if mark else Span(file, 1, 1)
    reason = error.problem or "cannot be read"
    trouble = Trouble.SYNTAX
    lines = split_lines(text)
    at = lines[mark.line][mark.column :] if mark and mark.line < len(lines) else ""
    if at.startswith("\t") or "\\t" in reason or "tab character" in reason:
        reason = "a tab is used for indentation; use spaces"
        trouble = Trouble.TAB
    return Problem(span, f"not valid YAML: {reason}", trouble)


def _unprintable(file: str, text: str) -> Problem:
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if found is None:
        message = "not YAML: it holds a character that is not allowed"
        return Problem(Span(file, 1, 1), message, Trouble.ENCODING)
    name = f"U+{ord(found[0]):04X}"
    place = after(text[: found.start()], file)
    return Problem(place, f"control character {name}; remove it", Trouble.ENCODING)
