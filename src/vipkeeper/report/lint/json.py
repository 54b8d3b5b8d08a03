"""Findings as JSON, schema version 1 (docs/lint.md)."""

from __future__ import annotations

import json
from typing import Any

from vipkeeper import __version__
from vipkeeper.catalog.entry import Severity
from vipkeeper.config.tree import Span
from vipkeeper.lint.rule import Finding, Fix
from vipkeeper.lint.run import Outcome, Quiet
from vipkeeper.report.lint.common import entries

SCHEMA_VERSION = 1


def render(outcome: Outcome) -> str:
    """The document."""
    return json.dumps(document(outcome), indent=2, ensure_ascii=False) + "\n"


def document(outcome: Outcome) -> dict[str, Any]:
    """What `render` writes. Within a schema version fields are added, never changed."""
    facts = outcome.cluster.facts
    names = {code: entry.name for code, entry in entries(outcome).items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "vipkeeper lint", "version": __version__},
        "files": sorted(outcome.cluster.sources),
        "unread": outcome.unread,
        "vips": [{"address": str(vip), "origin": vip.origin} for vip in facts.vips],
        "servers": [
            {"name": s.name, "address": str(s.address) if s.address else None, "origin": s.origin}
            for s in facts.servers
        ],
        "servers_complete": facts.complete,
        "counts": {severity.value: outcome.count(severity) for severity in Severity},
        "findings": [_finding(outcome, finding, names) for finding in outcome.findings],
        "ignored": [_quiet(outcome, quiet, names) for quiet in outcome.quiet],
    }


def _finding(outcome: Outcome, finding: Finding, names: dict[str, str]) -> dict[str, Any]:
    fix = finding.fix
    return {
        "code": finding.code,
        "name": names[finding.code],
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "message": finding.message,
        "place": _place(finding.span),
        "related": [_place(r.span) | {"message": r.message} for r in finding.related],
        "help": finding.help,
        "fix": _fix(fix) if fix is not None and not outcome.secrets.are_in(finding) else None,
    }


def _quiet(outcome: Outcome, quiet: Quiet, names: dict[str, str]) -> dict[str, Any]:
    until = quiet.ignore.until
    return _finding(outcome, quiet.finding, names) | {
        "reason": quiet.ignore.reason,
        "until": until.isoformat() if until else None,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [_place(edit.span) | {"text": edit.text} for edit in fix.edits]
    return {"title": fix.title, "safety": fix.safety.value, "edits": edits}


def _place(span: Span) -> dict[str, Any]:
    """Counted from 1; the end is null where it is not known, and behind the last column otherwise."""
    known = span.end_line > 0
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line if known else None,
        "end_column": span.end_column if known else None,
    }
