"""Findings for people: the user's own line, a caret, the reason, what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vipkeeper.catalog.entry import Confidence, Entry, Severity
from vipkeeper.catalog.page import first_sentence
from vipkeeper.config.tree import Span, shown
from vipkeeper.lint.rule import Finding, Safety
from vipkeeper.lint.run import Outcome
from vipkeeper.report.lint.common import counts, entries
from vipkeeper.report.style import Style, Tone

TONES = {Severity.ERROR: Tone.BAD, Severity.WARNING: Tone.WARN, Severity.INFO: Tone.HELD}
WIDEST = 160
"""Longer lines of the user's file are cut around the caret."""


def render(outcome: Outcome, style: Style) -> str:
    """All findings, then how many files were judged."""
    table = entries(outcome)
    lines: list[str] = []
    for finding in outcome.findings:
        lines += [*_finding(outcome, finding, table, style), ""]
    lines.append(footer(outcome, style))
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


def _finding(
    outcome: Outcome, finding: Finding, table: Mapping[str, Entry], style: Style
) -> Iterator[str]:
    entry = table.get(finding.code)
    name = entry.name if entry else ""
    grade = finding.severity.value
    if finding.confidence is not Confidence.CERTAIN:
        grade += f", {finding.confidence.value}"
    head = style.paint(f"{grade}[{finding.code}]", TONES[finding.severity])
    yield f"{head} {style.paint(shown(finding.message, 500), Tone.STRONG)}"
    gutter = len(str(max([finding.span.line, *(r.span.line for r in finding.related)])))
    yield from _place(outcome, finding.span, "", gutter, style, TONES[finding.severity])
    for related in finding.related:
        yield from _place(outcome, related.span, related.message, gutter, style, Tone.HELD)
    margin = " " * (gutter + 1)
    if entry is not None:
        yield f"{margin}= why: {first_sentence(entry.page.why)}"
        advice = shown(finding.help, 500) or first_sentence(entry.page.fix)
        yield f"{margin}= fix: {advice}{_automatic(finding)}"
        yield style.paint(f"{margin}= more: vipkeeper explain {finding.code} ({name})", Tone.FAINT)


def _automatic(finding: Finding) -> str:
    if finding.fix is None:
        return ""
    option = "--fix" if finding.fix.safety is Safety.SAFE else "--unsafe-fixes"
    return f" ({option})"


def _place(
    outcome: Outcome, span: Span, note: str, gutter: int, style: Style, tone: Tone
) -> Iterator[str]:
    """Where it is, the line as the user wrote it, and a caret under the place."""
    margin = " " * gutter
    yield f"{margin}--> {span}"
    source = outcome.cluster.sources.get(span.file)
    line = outcome.secrets.line(source, span.line) if source is not None else ""
    if not line.strip():
        if note:
            yield f"{margin}  = {note}"
        return
    text, start = _cut(line, span.column - 1)
    width = max(1, min(_length(span, line), len(text) - start))
    caret = " " * start + "^" * width
    yield f"{margin} |"
    yield f"{str(span.line).rjust(gutter)} | {text}"
    yield f"{margin} | {style.paint(caret + (f' {note}' if note else ''), tone)}"


def _length(span: Span, line: str) -> int:
    """How much of the first line a span covers."""
    if span.end_line == span.line and span.end_column > span.column:
        return span.end_column - span.column
    return len(line.rstrip()) - span.column + 1 if span.end_line > span.line else 1


def _cut(line: str, column: int) -> tuple[str, int]:
    """A line made printable and not too long, and where the column is in it."""
    before = line[max(0, column - WIDEST) : column].replace("\t", "    ")
    after = line[column : column + WIDEST].replace("\t", "    ").rstrip()
    if len(before) > WIDEST // 2:
        before = "..." + before[3 - WIDEST // 2 :]
    before, after = shown(before, WIDEST), shown(after, WIDEST - min(len(before), WIDEST - 20))
    return before + after, len(before)
