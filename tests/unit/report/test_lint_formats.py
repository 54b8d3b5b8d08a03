"""Findings about hostile names stay what they are in every format: text, and in their own place."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest

from vipkeeper.lint.facts import Given
from vipkeeper.lint.load import Input, load
from vipkeeper.lint.run import Outcome, run
from vipkeeper.report.lint import concise, github, junit, markdown

NAME = "100%,a::b|c"
KEY = "x|%0A::error::y<b>[z](http://q) `k` @me"


@pytest.fixture
def outcome(tmp_path: Path) -> Outcome:
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "config.yaml").write_text(f"token: abc\n'{KEY}': 1\n")
    found = run(load([Input(folder)], Given()), date(2026, 6, 1))
    assert [finding.code for finding in found.findings] == ["VK104"]
    return found


def unescaped(text: str) -> str:
    """As the runner of GitHub Actions reads it (actions/runner, ActionCommand.cs)."""
    for sign, escaped in ((":", "%3A"), (",", "%2C"), ("\n", "%0A"), ("\r", "%0D"), ("%", "%25")):
        text = text.replace(escaped, sign)
    return text


def test_github_reads_back_what_was_found(outcome: Outcome) -> None:
    (finding,) = outcome.findings
    (line,) = github.render(outcome).splitlines()
    found = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
    assert found is not None
    properties = dict(part.split("=", 1) for part in found[2].split(","))
    assert found[1] == "error"
    assert unescaped(properties["file"]) == finding.span.file
    assert (properties["line"], properties["col"]) == ("2", "1")
    assert unescaped(found[3]) == f"{finding.message}\n{finding.help}"
    assert KEY in unescaped(found[3])


def test_markdown_has_one_row_and_no_markup_of_the_file(outcome: Outcome) -> None:
    row = markdown.render(outcome).splitlines()[-1]
    cells = re.split(r"(?<!\\)\|", row)
    assert len(cells) == 7
    assert r"x\|%0A::error::y&lt;b&gt;\[z\](http://q) \`k\` @<!-- -->me" in cells[4]
    assert r"a::b\|c/config.yaml:2:1" in cells[3]


def test_junit_and_concise_keep_it_in_one_place(outcome: Outcome) -> None:
    (case,) = ET.fromstring(junit.render(outcome)).iter("testcase")
    failure = case[0]
    assert KEY in failure.attrib["message"]
    assert case.attrib["classname"].endswith(f"{NAME}/config.yaml")
    assert len(concise.render(outcome).splitlines()) == 1
