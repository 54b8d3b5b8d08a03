"""Findings as JUnit XML: a test suite a file, a failed test a finding."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from vipkeeper.catalog.entry import Severity
from vipkeeper.config.tree import shown
from vipkeeper.lint.rule import Finding
from vipkeeper.lint.run import Outcome
from vipkeeper.report.lint.common import entries


def render(outcome: Outcome) -> str:
    """Errors and warnings are failures; notes are passed tests with output; files without any pass."""
    names = {code: entry.name for code, entry in entries(outcome).items()}
    by_file: dict[str, list[Finding]] = {file: [] for file in sorted(outcome.cluster.sources)}
    for finding in outcome.findings:
        by_file.setdefault(finding.span.file, []).append(finding)
    suites = [_suite(file, findings, names) for file, findings in by_file.items()]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", *suites]) + (
        "\n</testsuites>\n"
    )


def _suite(file: str, findings: list[Finding], names: dict[str, str]) -> str:
    cases = [_case(finding, names[finding.code]) for finding in findings]
    if not cases:
        cases = [f"    <testcase classname={_attr(file)} name={_attr('lint')}/>"]
    failures = sum(finding.severity is not Severity.INFO for finding in findings)
    head = f'name={_attr(file)} tests="{len(cases)}" failures="{failures}" errors="0"'
    return "\n".join([f"  <testsuite {head}>", *cases, "  </testsuite>"])


def _case(finding: Finding, name: str) -> str:
    place = f"line {finding.span.line}"
    head = f"classname={_attr(finding.span.file)} name={_attr(f'{finding.code} {name}, {place}')}"
    if finding.severity is Severity.INFO:
        return f"    <testcase {head}/>"
    detail = shown(f"{finding.span}: {finding.message}", 1000)
    text = shown(finding.help, 1000)
    message = f"message={_attr(detail)} type={_attr(finding.severity.value)}"
    body = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"    <testcase {head}><failure {message}>{body}</failure></testcase>"


def _attr(text: str) -> str:
    return quoteattr(shown(text, 2000))
