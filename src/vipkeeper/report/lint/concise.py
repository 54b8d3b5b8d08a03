"""One line a finding, as compilers print them."""

from __future__ import annotations

from vipkeeper.config.tree import shown
from vipkeeper.lint.run import Outcome


def render(outcome: Outcome) -> str:
    """`FILE:LINE:COLUMN: SEVERITY CODE message`; nothing without findings."""
    lines = [
        f"{finding.span}: {finding.severity.value} {finding.code} {shown(finding.message, 500)}"
        for finding in outcome.findings
    ]
    return "\n".join(lines) + "\n" if lines else ""
