"""keepalived.conf: blocks, macros, conditionals, includes (keepalived.conf(5))."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vipkeeper.config.tree import MAX_DEPTH, Problem, Scalar, Span, Style, Trouble
from vipkeeper.lint.document import Document, Parsed
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.words import joined, split
from vipkeeper.lint.source import Source, beside, read

MAX_FILES = 100
"""Included files in all."""
MAX_MACRO = 10_000
"""Characters that the macros of one line may make."""
_COMMAND = re.compile(r"script|notify(_\w+)?")
_MACRO = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_CONDITION = re.compile(r"\s*(@(\^?)(\S+))\s")
_DROPPED = "@"
"""The condition of a block that is not kept; no id begins like this."""
_USE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")


@dataclass(frozen=True, slots=True)
class Statement:
    """One line, or a block with what is in it: `words[0]` is the keyword."""

    words: tuple[Scalar, ...]
    children: tuple[Statement, ...] = ()
    condition: str = ""
    """What stands behind `@`: the line counts only where keepalived runs with this `-i` id."""
    is_conditional: bool = field(init=False, repr=False, compare=False)
    """Whether it, or a line in it, counts only for some `-i` id."""

    def __post_init__(self) -> None:
        inside = any(child.is_conditional for child in self.children)
        object.__setattr__(self, "is_conditional", bool(self.condition) or inside)

    @property
    def keyword(self) -> str:
        """The first word."""
        return self.words[0].text

    @property
    def span(self) -> Span:
        """The line, without a block's body."""
        first, last = self.words[0].span, self.words[-1].span
        return Span(first.file, first.line, first.column, last.end_line, last.end_column)

    @property
    def value(self) -> Scalar | None:
        """The word behind the keyword."""
        return self.words[1] if len(self.words) > 1 else None

    @property
    def number(self) -> float | None:
        """The value as a number, if it is one."""
        try:
            return float(self.words[1].text) if len(self.words) > 1 else None
        except ValueError:
            return None

    def all(self, keyword: str) -> tuple[Statement, ...]:
        """The statements inside with this keyword."""
        return tuple(child for child in self.children if child.words[0].text == keyword)

    def first(self, keyword: str) -> Statement | None:
        """The one that counts: the last of them."""
        return next(iter(self.all(keyword)[::-1]), None)

    def has(self, keyword: str) -> bool:
        """Whether there is one."""
        return bool(self.all(keyword))


@dataclass(frozen=True, slots=True)
class Instance:
    """A `vrrp_instance`."""

    block: Statement

    @property
    def name(self) -> str:
        """Its name."""
        return self.block.value.text if self.block.value else ""

    @property
    def vrid(self) -> int | None:
        """`virtual_router_id`."""
        return self._integer("virtual_router_id")

    @property
    def priority(self) -> int:
        """`priority`; 100 where it is not given."""
        given = self._integer("priority")
        return 100 if given is None else given

    @property
    def interface(self) -> str:
        """`interface`."""
        statement = self.block.first("interface")
        return statement.value.text if statement and statement.value else ""

    @property
    def vips(self) -> tuple[Scalar, ...]:
        """The words that name addresses, with their prefix length where one is given."""
        blocks = (
            *self.block.all("virtual_ipaddress"),
            *self.block.all("virtual_ipaddress_excluded"),
        )
        return tuple(line.words[0] for block in blocks for line in block.children)

    @property
    def scripts(self) -> tuple[Statement, ...]:
        """The lines of `track_script`: name of the script, perhaps `weight N`."""
        return tuple(line for b in self.block.all("track_script") for line in b.children)

    def _integer(self, keyword: str) -> int | None:
        statement = self.block.first(keyword)
        number = statement.number if statement else None
        return int(number) if number is not None and abs(number) < 1e9 else None


@dataclass(frozen=True, slots=True)
class Keepalived(Document):
    """The statements at the top, those of included files in their place."""

    statements: tuple[Statement, ...]
    files: tuple[tuple[str, Source], ...] = ()
    """Shell scripts that a `vrrp_script` runs, by the path that it names, where a copy is at hand."""
    ids: frozenset[str] = frozenset()
    """The ids that stand behind `@`."""
    config_id: str | None = None
    """The id that conditions were judged by; None: not known, every line is there with its condition."""
    headless: tuple[Span, ...] = ()
    """Conditional lines that open a block: where their id is another one keepalived drops the line alone."""

    def blocks(self, keyword: str) -> tuple[Statement, ...]:
        """The blocks or lines at the top with this keyword."""
        return tuple(s for s in self.statements if s.words[0].text == keyword)

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Every `vrrp_instance`."""
        return tuple(Instance(block) for block in self.blocks("vrrp_instance"))

    def script(self, name: str) -> Statement | None:
        """The `vrrp_script` of that name."""
        for block in self.blocks("vrrp_script"):
            if block.value is not None and block.value.text == name:
                return block
        return None

    def globals(self, keyword: str) -> Statement | None:
        """A line of `global_defs`."""
        found = [b.first(keyword) for b in self.blocks("global_defs")]
        return next((statement for statement in reversed(found) if statement), None)


def _with_command(words: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    """A command in single quotes as one word; elsewhere keepalived takes them for ordinary signs (tried, 2.2.7)."""
    if len(words) < 2 or not _COMMAND.fullmatch(words[0].text) or words[1].quoted:
        return words
    if not words[1].text.startswith("'"):
        return words
    for index, word in enumerate(words[1:], 1):
        if word.text.endswith("'") and (index > 1 or len(word.text) > 1):
            text = " ".join(part.text for part in words[1 : index + 1])[1:-1]
            first, last = words[1].span, word.span
            span = Span(first.file, first.line, first.column, last.end_line, last.end_column)
            return (words[0], Scalar(span, text, Style.SINGLE), *words[index + 1 :])
    return words


@dataclass(slots=True)
class _Block:
    words: tuple[Scalar, ...]
    condition: str
    children: list[Statement] = field(default_factory=list)


class _Reader:
    """Reads a file and what it includes; the state is the open blocks and the macros.

    A condition stands at the beginning of a line and is about this line alone, be it a macro, an
    include, or the first line of a block (tried, 2.2.7). Of a block whose first line does not count
    nothing is kept: what keepalived makes of the rest is told by `headless`.
    """

    def __init__(self, config_id: str | None) -> None:
        self.config_id = config_id
        self.ids: set[str] = set()
        self.headless: list[Span] = []
        self._unsure: dict[str, str] = {}
        """Macros that are set for some id only, with the condition."""
        self.top = _Block((), "")
        self.stack = [self.top]
        self.problems: list[Problem] = []
        self.included: list[Source] = []
        self.skipped = 0
        """Open blocks that lie too deep to be kept."""
        self._macros: dict[str, str] = {}
        self._open: list[Path] = []

    def file(self, source: Source) -> None:
        """Take every line of a file."""
        self._open.append(source.path or Path(source.file))
        for number, line in joined(source.lines):
            found = _CONDITION.match(line)
            rest, condition = line, ""
            if found:
                rest = " " * found.end(1) + line[found.end(1) :]
                condition = self._judged(source, number, found, rest)
                if condition == _DROPPED and "{" not in _braces(rest):
                    continue
            macro = _MACRO.fullmatch(rest.strip())
            if macro and condition != _DROPPED:
                self._macros[macro[1]] = macro[2].strip()
                self._unsure.pop(macro[1], None)
                if condition:
                    self._unsure[macro[1]] = condition
            elif not macro:
                self._line(source, number, rest, condition)
        self._open.pop()

    def _judged(self, source: Source, number: int, found: re.Match[str], rest: str) -> str:
        """What is left of a condition: nothing where it holds."""
        name, negated = found[3], bool(found[2])
        self.ids.add(name)
        condition = found[2] + name
        if self.config_id is not None:
            condition = "" if (name == self.config_id) != negated else _DROPPED
        braces = _braces(rest)
        if condition and braces.count("{") > braces.count("}"):
            first = found.start(1) + 1
            self.headless.append(Span(source.file, number, first, number, len(rest.rstrip()) + 1))
        return condition

    def _line(self, source: Source, number: int, line: str, condition: str) -> None:
        gathered: list[Scalar] = []
        for word in _cut(source.file, number, line):
            if word.text == "{" and not word.quoted:
                self._begin(word, tuple(gathered), condition)
                gathered, condition = [], ""
            elif word.text == "}" and not word.quoted:
                self._statement(source, tuple(gathered), condition)
                self._end(word)
                gathered, condition = [], ""
            else:
                unsure = (self._unsure.get(m[1] or m[2]) for m in _USE.finditer(word.text))
                condition = condition or next(filter(None, unsure), "")
                gathered.append(self._expand(word))
        self._statement(source, tuple(gathered), condition)

    def _expand(self, word: Scalar) -> Scalar:
        if "$" not in word.text:
            return word
        text = word.text
        for _ in range(5):
            text = _USE.sub(lambda m: self._macros.get(m[1] or m[2], m[0]), text)[:MAX_MACRO]
        return Scalar(word.span, text, word.style)

    def _begin(self, brace: Scalar, words: tuple[Scalar, ...], condition: str) -> None:
        siblings = self.stack[-1].children
        if not words and siblings and not siblings[-1].children:
            last = siblings.pop()
            words, condition = last.words, last.condition
        if len(self.stack) > MAX_DEPTH:
            self.skipped += 1
            if self.skipped == 1:
                self.problems.append(Problem(brace.span, "nested too deeply", Trouble.TOO_DEEP))
            return
        self.stack.append(_Block(words or (brace,), condition))

    def _end(self, brace: Scalar) -> None:
        if self.skipped:
            self.skipped -= 1
            return
        if len(self.stack) == 1:
            self.problems.append(Problem(brace.span, "this '}' closes no block"))
            return
        block = self.stack.pop()
        if block.condition != _DROPPED:
            done = Statement(block.words, tuple(block.children), block.condition)
            self.stack[-1].children.append(done)

    def _statement(self, source: Source, words: tuple[Scalar, ...], condition: str) -> None:
        if not words or condition == _DROPPED:
            return
        if words[0].text in ("include", "includer", "includem", "includew", "includea"):
            self._include(source, words)
            return
        self.stack[-1].children.append(Statement(_with_command(words), (), condition))

    def _include(self, source: Source, words: tuple[Scalar, ...]) -> None:
        span = words[-1].span
        for path in self._included(source, words):
            if path.resolve() in [opened.resolve() for opened in self._open]:
                message = f"includes {path.name}, which includes this file"
                self.problems.append(Problem(span, message, Trouble.CYCLE))
            elif len(self.included) >= MAX_FILES:
                message = f"more than {MAX_FILES} included files"
                self.problems.append(Problem(span, message, Trouble.EXPANSION))
                return
            else:
                found = read(path, beside(source, path))
                if isinstance(found, Problem):
                    self.problems.append(found)
                    continue
                self.included.append(found)
                self.file(found)

    def _included(self, source: Source, words: tuple[Scalar, ...]) -> list[Path]:
        """The files that an include names; nothing outside the server's own tree is read."""
        if len(words) < 2 or source.path is None:
            return []
        pattern = words[1].text
        folder = source.path.parent
        if pattern.startswith("/"):
            root = _root(source.path)
            if root is None:
                message = f"'{pattern}' was not read: this copy is in no etc/keepalived/"
                self.problems.append(Problem(words[1].span, message, Trouble.UNREADABLE))
                return []
            folder, pattern = root, pattern.lstrip("/")
        try:
            found = sorted(folder.glob(pattern))
        except (ValueError, OSError, NotImplementedError):
            found = []
        if not found:
            message = f"no file is named '{words[1].text}'"
            self.problems.append(Problem(words[1].span, message, Trouble.UNREADABLE))
        return [path for path in found if not os.path.isdir(path)]


def _cut(file: str, number: int, line: str) -> list[Scalar]:
    return split(file, number, line, comments="#!", escapes=False, lone="{}")


def _braces(line: str) -> str:
    """The braces of a line that open and close blocks, in order."""
    return "".join(w.text for w in _cut("", 0, line) if w.text in ("{", "}") and not w.quoted)


def _root(path: Path) -> Path | None:
    """The root of the server that this copy of a file is from; None where the path does not say."""
    root, marker, _ = str(path).partition("/etc/keepalived/")
    return Path(root or "/") if marker else None


def _scripts(
    source: Source, statements: Sequence[Statement]
) -> Iterator[tuple[str, Source | Problem]]:
    """The shell scripts that are tracked, of the same server."""
    root = _root(source.path) if source.path is not None else None
    lines = (s.first("script") for s in statements if s.keyword == "vrrp_script")
    names = [line.value.text.partition(" ")[0] for line in lines if line and line.value]
    for name in dict.fromkeys(names):
        if root is None or not name.startswith("/") or ".." in name:
            continue
        path = root / name.lstrip("/")
        if path.suffix == ".sh" and os.path.isfile(path):
            yield name, read(path, beside(source, path))


def parse(source: Source, kind: Kind, config_id: str | None = None) -> Parsed:
    """Read a configuration of keepalived with all it includes, as one that runs with this `--config-id` does."""
    reader = _Reader(config_id)
    reader.file(source)
    for block in reader.stack[1:]:
        reader.problems.append(Problem(block.words[0].span, "this block is never closed"))
    while len(reader.stack) > 1:
        block = reader.stack.pop()
        done = Statement(block.words, tuple(block.children), block.condition)
        reader.stack[-1].children.append(done)
    files: list[tuple[str, Source]] = []
    for name, found in _scripts(source, reader.top.children):
        if isinstance(found, Problem):
            reader.problems.append(found)
        else:
            files.append((name, found))
            reader.included.append(found)
    document = Keepalived(
        kind,
        source,
        tuple(reader.top.children),
        tuple(files),
        frozenset(reader.ids),
        config_id,
        tuple(reader.headless),
    )
    return Parsed((document,), tuple(reader.problems), tuple(reader.included))
