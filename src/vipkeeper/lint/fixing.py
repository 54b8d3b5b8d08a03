"""Fixes applied to the text of files; what may be written is decided by the caller."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vipkeeper.lint import secrets
from vipkeeper.lint.rule import Edit, Finding, Safety
from vipkeeper.lint.source import Source, from_text


@dataclass(frozen=True, slots=True)
class Fixed:
    """One file with its fixes."""

    source: Source
    text: str
    titles: tuple[str, ...]

    @property
    def diff(self) -> str:
        """What changes, as `diff -u` shows it, with asterisks for secrets."""
        name = self.source.file
        after = from_text(self.text, name)
        covered = secrets.find((self.source,)), secrets.find((after,))
        shown = {
            line: hidden.line(source, number)
            for source, hidden in zip((self.source, after), covered, strict=True)
            for number, line in enumerate(source.lines, 1)
        }
        lines = difflib.unified_diff(
            self.source.lines, after.lines, name, f"{name} (fixed)", lineterm=""
        )
        head = [next(lines, ""), next(lines, "")]
        body = [line[:1] + shown.get(line[1:], line[1:]) for line in lines]
        return "".join(f"{line}\n" for line in (*head, *body))


def fix(
    findings: Iterable[Finding], sources: dict[str, Source], *, unsafe: bool
) -> Iterator[Fixed]:
    """The files that fixes change. Of two fixes that overlap the first is made, the other not."""
    edits: dict[str, list[tuple[Edit, str]]] = {}
    for finding in findings:
        wanted = finding.fix
        if wanted is None or (wanted.safety is Safety.UNSAFE and not unsafe):
            continue
        if any(e.span.file not in sources or not e.span.end_line for e in wanted.edits):
            continue
        if any(_overlaps(e, made) for e in wanted.edits for made, _ in edits.get(e.span.file, [])):
            continue
        for edit in wanted.edits:
            edits.setdefault(edit.span.file, []).append((edit, wanted.title))
    for file, made in sorted(edits.items()):
        source = sources[file]
        text = _applied(source, [edit for edit, _ in made])
        if text != source.text:
            yield Fixed(source, text, tuple(dict.fromkeys(title for _, title in made)))


def _overlaps(edit: Edit, made: Edit) -> bool:
    a, b = edit.span, made.span
    first, second = (a, b) if (a.line, a.column) <= (b.line, b.column) else (b, a)
    return (first.end_line, first.end_column) > (second.line, second.column) or a == b


def _applied(source: Source, edits: list[Edit]) -> str:
    starts = _line_starts(source)
    text = source.text
    for edit in sorted(edits, key=lambda e: e.span, reverse=True):
        begin = _offset(starts, edit.span.line, edit.span.column, len(text))
        end = _offset(starts, edit.span.end_line, edit.span.end_column, len(source.text))
        text = text[:begin] + edit.text + text[end:]
    return text


def _line_starts(source: Source) -> list[int]:
    starts, at = [], 0
    for line in source.lines:
        starts.append(at)
        at += len(line) + 1
    return starts


def _offset(starts: list[int], line: int, column: int, length: int) -> int:
    return starts[line - 1] + column - 1 if line <= len(starts) else length
