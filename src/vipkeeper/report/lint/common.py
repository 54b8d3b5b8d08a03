"""What several formats need."""

from __future__ import annotations

from collections.abc import Mapping

from vipkeeper.catalog.entry import Entry, Severity
from vipkeeper.lint.run import Outcome


def entries(outcome: Outcome) -> Mapping[str, Entry]:
    """The catalog entries of the codes that were found, and of no others: pages take time to read."""
    codes = {finding.code for finding in outcome.findings}
    codes |= {quiet.finding.code for quiet in outcome.quiet}
    return {r.rule.code: r.entry for r in outcome.rules if r.rule.code in codes}


def counts(outcome: Outcome) -> str:
    """`3 errors, 1 warning`; empty without findings."""
    words = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    parts = []
    for severity, word in words.items():
        number = outcome.count(severity)
        if number:
            parts.append(f"{number} {word}{'' if number == 1 else 's'}")
    return ", ".join(parts)
