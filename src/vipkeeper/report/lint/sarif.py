"""Findings as SARIF 2.1.0, for code scanning and editors.

Source: OASIS Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from vipkeeper import __version__
from vipkeeper.catalog.entry import Confidence, Entry, Severity
from vipkeeper.catalog.page import first_sentence, markdown
from vipkeeper.config.tree import Span
from vipkeeper.lint.rule import Finding
from vipkeeper.lint.run import Outcome
from vipkeeper.report.lint.common import entries

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PRECISION = {
    Confidence.CERTAIN: "very-high",
    Confidence.LIKELY: "high",
    Confidence.POSSIBLE: "medium",
}


def render(outcome: Outcome) -> str:
    """The log file."""
    return json.dumps(document(outcome), indent=2, ensure_ascii=False) + "\n"


def document(outcome: Outcome) -> dict[str, Any]:
    """One run. Findings that comments keep quiet are in it, as suppressed."""
    table = entries(outcome)
    indices = {code: index for index, code in enumerate(sorted(table))}
    results = [_result(outcome, finding, indices) for finding in outcome.findings]
    for quiet in outcome.quiet:
        suppression = {"kind": "inSource", "justification": quiet.ignore.reason}
        result = _result(outcome, quiet.finding, indices)
        results.append(result | {"suppressions": [suppression]})
    driver = {
        "name": "vipkeeper",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(table[code]) for code in indices],
    }
    invocation = {"executionSuccessful": outcome.unread == 0}
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.code,
        "name": entry.name,
        "shortDescription": {"text": entry.page.title},
        "fullDescription": {"text": first_sentence(entry.page.why)},
        "help": {"text": entry.page.fix, "markdown": markdown(entry)},
        "defaultConfiguration": {"level": _LEVELS[entry.severity]},
        "properties": {"precision": _PRECISION[entry.confidence]},
    }


def _result(outcome: Outcome, finding: Finding, indices: Mapping[str, int]) -> dict[str, Any]:
    advice = f" Fix: {finding.help}" if finding.help else ""
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": indices[finding.code],
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message + advice},
        "locations": [_location(finding.span)],
        "partialFingerprints": {"vipkeeper/v1": _fingerprint(outcome, finding)},
        "properties": {"confidence": finding.confidence.value},
    }
    if finding.related:
        result["relatedLocations"] = [
            {"id": number} | _location(related.span) | {"message": {"text": related.message}}
            for number, related in enumerate(finding.related, 1)
        ]
    if finding.fix is not None and not outcome.secrets.are_in(finding):
        result["fixes"] = [_fix(finding)]
    return result


def _fix(finding: Finding) -> dict[str, Any]:
    assert finding.fix is not None
    files: dict[str, list[dict[str, Any]]] = {}
    for edit in finding.fix.edits:
        replacement = {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        files.setdefault(edit.span.file, []).append(replacement)
    changes = [
        {"artifactLocation": {"uri": uri(file)}, "replacements": replacements}
        for file, replacements in files.items()
    ]
    return {"description": {"text": finding.fix.title}, "artifactChanges": changes}


def _location(span: Span) -> dict[str, Any]:
    physical = {"artifactLocation": {"uri": uri(span.file)}, "region": _region(span)}
    return {"physicalLocation": physical}


def _region(span: Span) -> dict[str, int]:
    region = {"startLine": span.line, "startColumn": span.column}
    if span.end_line:
        region |= {"endLine": span.end_line, "endColumn": span.end_column}
    return region


def uri(file: str) -> str:
    """A path as a URI: relative ones stay so, as GitHub wants them."""
    path = quote(str(PurePosixPath(file)))
    return f"file://{path}" if path.startswith("/") else path


def _fingerprint(outcome: Outcome, finding: Finding) -> str:
    """The same when lines are added above: code, file and the text of the line."""
    source = outcome.cluster.sources.get(finding.span.file)
    line = outcome.secrets.line(source, finding.span.line).strip() if source is not None else ""
    text = "\0".join([finding.code, finding.span.file, line, finding.message])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
