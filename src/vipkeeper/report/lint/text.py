"""Findings for people: the user's own line, a caret, the reason, what to write instead."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator, Mapping

from vipkeeper.catalog.entry import Confidence, Entry, Severity
from vipkeeper.catalog.page import first_sentence
from vipkeeper.config.tree import Span, shown
from vipkeeper.lint.rule import Finding, Safety
from vipkeeper.lint.run import Outcome
from vipkeeper.report.lint.common import counts, entries
from vipkeeper.report.style import Style, Tone

TONES = {Severity.ERROR: Tone.BAD, Severity.WARNING: Tone.WARN, Severity.INFO: Tone.HELD}
WIDTH = 80
"""Columns, where nothing says how many there are."""
NARROWEST = 40
MOST_NAMES = 20
"""Files that are named at the end."""


def render(outcome: Outcome, style: Style, width: int = WIDTH) -> str:
    """All findings, then how many files were judged. Lines of the user's files are cut around the caret, others broken.

    Args:
        outcome: what to tell.
        style: what the terminal can show.
        width: its columns.
    """
    width = max(width, NARROWEST)
    table = entries(outcome)
    lines: list[str] = []
    for finding in outcome.findings:
        lines += [*_finding(outcome, finding, table, style, width), ""]
    lines += [footer(outcome, style), *judged(outcome, width)]
    text = "\n".join(lines) + "\n"
    return text.encode("ascii", "backslashreplace").decode() if style.ascii else text


def footer(outcome: Outcome, style: Style) -> str:
    """`3 errors and 1 warning in 5 files; 2 findings ignored`."""
    found = counts(outcome)
    files = f"{outcome.files} file{'' if outcome.files == 1 else 's'}"
    text = f"{found} in {files}" if found else f"no findings in {files}"
    if outcome.unread:
        text += f"; {outcome.unread} could not be read or understood"
    if outcome.quiet:
        text += f"; {len(outcome.quiet)} ignored by comments"
    tone = Tone.STRONG if found or outcome.unread else Tone.GOOD
    return style.paint(text, tone)


def judged(outcome: Outcome, width: int) -> list[str]:
    """`4 files of 1 server judged: ...`, so that a file which was left out is missed."""
    names = sorted(shown(name, 200) for name in outcome.cluster.sources)
    if not names:
        return []
    servers = len(outcome.cluster.servers)
    told = ", ".join(names[:MOST_NAMES])
    if len(names) > MOST_NAMES:
        told += f" and {len(names) - MOST_NAMES} more (--output json names all)"
    files = f"{len(names)} file{'' if len(names) == 1 else 's'}"
    whose = f"{servers} server{'' if servers == 1 else 's'}"
    return _broken(f"{files} of {whose} judged: {told}", width, "  ")


def _finding(
    outcome: Outcome, finding: Finding, table: Mapping[str, Entry], style: Style, width: int
) -> Iterator[str]:
    entry = table.get(finding.code)
    name = entry.name if entry else ""
    grade = finding.severity.value
    if finding.confidence is not Confidence.CERTAIN:
        grade += f", {finding.confidence.value}"
    tone = TONES[finding.severity]
    head = f"{grade}[{finding.code}]"
    first, *rest = _broken(f"{head} {shown(finding.message, 500)}", width, "  ")
    painted = style.paint(first.removeprefix(f"{head} "), Tone.STRONG)
    yield f"{style.paint(head, tone)} {painted}"
    yield from (style.paint(line, Tone.STRONG) for line in rest)
    gutter = len(str(max([finding.span.line, *(r.span.line for r in finding.related)])))
    room = width - gutter - 3
    yield from _place(outcome, finding.span, "", gutter, room, style, tone)
    for related in finding.related:
        yield from _place(outcome, related.span, related.message, gutter, room, style, Tone.HELD)
    margin = " " * (gutter + 1)
    indent = margin + " " * len("= why: ")
    if entry is not None:
        yield from _broken(f"{margin}= why: {first_sentence(entry.page.why)}", width, indent)
        advice = shown(finding.help, 500) or first_sentence(entry.page.fix)
        yield from _broken(f"{margin}= fix: {advice}{_automatic(finding)}", width, indent)
        yield style.paint(f"{margin}= more: vipkeeper explain {finding.code} ({name})", Tone.FAINT)


def _broken(text: str, width: int, indent: str) -> list[str]:
    """A text in lines of a width; a word is never broken, since addresses and paths are to be copied."""
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def _automatic(finding: Finding) -> str:
    if finding.fix is None:
        return ""
    option = "--fix" if finding.fix.safety is Safety.SAFE else "--unsafe-fixes"
    return f" ({option})"


def _place(
    outcome: Outcome, span: Span, note: str, gutter: int, room: int, style: Style, tone: Tone
) -> Iterator[str]:
    """Where it is, the line as the user wrote it, and a caret under the place."""
    margin = " " * gutter
    yield f"{margin}--> {span}"
    source = outcome.cluster.sources.get(span.file)
    line = outcome.secrets.line(source, span.line) if source is not None else ""
    below = _broken(f"{margin}  = {note}", room + gutter + 3, f"{margin}    ") if note else []
    if not line.strip():
        yield from below
        return
    text, start = _cut(line, span.column - 1, room)
    length = max(1, min(_length(span, line), len(text) - start))
    before, under = columns(text[:start]), max(1, columns(text[start : start + length]))
    caret = " " * before + "^" * under
    beside = bool(note) and before + under + 1 + columns(note) <= room
    yield f"{margin} |"
    yield f"{str(span.line).rjust(gutter)} | {text}"
    yield f"{margin} | {style.paint(caret + (f' {note}' if beside else ''), tone)}"
    if not beside:
        yield from (style.paint(line, tone) for line in below)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: wide signs two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def _length(span: Span, line: str) -> int:
    """How much of the first line a span covers."""
    if span.end_line == span.line and span.end_column > span.column:
        return span.end_column - span.column
    return len(line.rstrip()) - span.column + 1 if span.end_line > span.line else 1


def _cut(line: str, column: int, room: int) -> tuple[str, int]:
    """A line made printable and not too long, and where the column is in it."""
    before = line[max(0, column - room) : column].replace("\t", "    ")
    after = line[column : column + room].replace("\t", "    ").rstrip()
    before = shown(before, 4 * room)
    if len(before) > room // 2 and len(before) + len(after) > room:
        before = "..." + before[3 - room // 2 :]
    after = shown(after, max(room - len(before), room // 3))
    return before + after, len(before)
