"""Findings as a Markdown table, for issues and comments."""

from __future__ import annotations

import html
import re

from vipkeeper.config.tree import shown
from vipkeeper.lint.run import Outcome
from vipkeeper.report.lint.common import entries
from vipkeeper.report.lint.text import footer
from vipkeeper.report.style import Style

_MARKUP = re.compile(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])")
"""What GitHub's Markdown takes as markup within a line."""
_MENTION = re.compile(r"(?<!\w)@(?=\w)")


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
            str(finding.span),
            finding.message,
            finding.help,
        )
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text of a file as text: no link, picture, mention or column comes of it."""
    plain = html.escape(shown(text, 400), quote=False)
    return _MENTION.sub("@<!-- -->", _MARKUP.sub(r"\\\g<0>", plain))
