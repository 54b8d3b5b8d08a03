"""Findings as a Markdown table, for issues and comments."""

from __future__ import annotations

from vipkeeper.config.tree import shown
from vipkeeper.lint.run import Outcome
from vipkeeper.report.lint.common import entries
from vipkeeper.report.lint.text import footer
from vipkeeper.report.style import Style


def render(outcome: Outcome) -> str:
    """The table, and what the text says last."""
    names = {code: entry.name for code, entry in entries(outcome).items()}
    lines = ["# vipkeeper lint", "", f"{footer(outcome, Style(color=False, ascii=False))}."]
    if outcome.findings:
        lines += [
            "",
            "| severity | code | place | finding | what to write |",
            "|---|---|---|---|---|",
        ]
    for finding in outcome.findings:
        cells = (
            finding.severity.value,
            f"{finding.code} {names[finding.code]}",
            f"`{shown(str(finding.span), 200)}`",
            finding.message,
            finding.help,
        )
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return shown(text, 400).replace("|", "\\|").replace("<", "&lt;")
