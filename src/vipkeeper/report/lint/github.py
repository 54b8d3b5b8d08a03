"""Findings as workflow commands of GitHub Actions, which shows them in the changed files."""

from __future__ import annotations

from vipkeeper.catalog.entry import Severity
from vipkeeper.lint.run import Outcome
from vipkeeper.report.lint.common import entries

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(outcome: Outcome) -> str:
    """One command a finding."""
    names = {code: entry.name for code, entry in entries(outcome).items()}
    lines = []
    for finding in outcome.findings:
        span = finding.span
        place = f"file={_property(span.file)},line={span.line},col={span.column}"
        if span.end_line == span.line:
            place += f",endColumn={span.end_column}"
        title = _property(f"{finding.code} {names[finding.code]}")
        text = finding.message + (f"\n{finding.help}" if finding.help else "")
        lines.append(f"::{_COMMANDS[finding.severity]} {place},title={title}::{_data(text)}")
    return "\n".join(lines) + "\n" if lines else ""


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
