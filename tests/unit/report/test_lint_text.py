"""Findings for people fit the terminal, and carets stand below what they are about."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from vipkeeper.cli import output
from vipkeeper.lint.facts import Given
from vipkeeper.lint.load import Input, load
from vipkeeper.lint.run import Outcome, run
from vipkeeper.report.lint import text
from vipkeeper.report.style import Style

PLAIN = Style(color=False, ascii=False)


def outcome(folder: Path, content: str) -> Outcome:
    (folder / "config.yaml").write_text(content, encoding="utf-8")
    return run(load([Input(folder / "config.yaml")], Given()), date(2026, 6, 1))


@pytest.mark.parametrize("width", [40, 80, 132])
@pytest.mark.parametrize("padding", [0, 30, 200])
def test_caret_stands_below_the_key_at_every_width(
    width: int, padding: int, tmp_path: Path
) -> None:
    long = " " * padding
    content = f"{{token: abc,{long} tls_san: [10.10.10.100, {'x' * 300}]}}\n"
    lines = text.render(outcome(tmp_path, content), PLAIN, width).splitlines()
    at = next(n for n, line in enumerate(lines) if "tls_san:" in line)
    shown, caret = lines[at], lines[at + 1]
    start = caret.index("^")
    assert shown[start : start + caret.count("^")] == "tls_san"
    assert len(shown) <= width


def test_caret_counts_columns_and_not_characters(tmp_path: Path) -> None:
    lines = text.render(
        outcome(tmp_path, "{node-label: 東京=1, tls_san: []}\n"), PLAIN
    ).splitlines()
    at = next(n for n, line in enumerate(lines) if "tls_san:" in line)
    assert lines[at + 1].index("^") == lines[at].index("tls_san") + len("東京")


def test_sentences_are_broken_between_words(tmp_path: Path) -> None:
    found = outcome(tmp_path, "token: abc\ntls_san: [10.10.10.100]\n")
    narrow, wide = text.render(found, PLAIN, 60), text.render(found, PLAIN, 10_000)
    sentences = [line for line in narrow.splitlines() if "-->" not in line and "/" not in line]
    assert max(map(len, sentences)) <= 60
    assert narrow.split() == wide.split()


def test_the_last_line_names_what_was_judged(tmp_path: Path) -> None:
    last = text.render(outcome(tmp_path, "token: abc\n"), PLAIN, 10_000).splitlines()[-1]
    assert last == f"1 file of 1 server judged: {tmp_path}/config.yaml"


@pytest.mark.parametrize(("given", "found"), [("132", 132), ("", 80), ("0", 80), ("wide", 80)])
def test_the_width_is_what_columns_says(
    given: str, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", given)
    assert output.width(80) == found
