"""The linter's measurement: it goes by what lint counted, not by the words it says it with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bench import lint, lint_tree, results
from bench.started import ProgramError


def test_a_run_has_its_figures_and_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "TREES", ())
    monkeypatch.setattr(lint, "ONE_RUNS", 1)
    (tree,) = lint.measure(1.0)["trees"]
    assert (tree["servers"], tree["files"]) == (1, 5)
    (run,) = tree["runs"]
    assert run["found"] == "no findings in 5 files"
    assert run["wall_ms"] > 0
    assert run["rss_kib"] > 0


def test_a_lint_that_reads_less_than_all_files_is_no_measurement(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    lint_tree.write(tree, 1)
    next(tree.rglob("*.cfg")).unlink()
    with pytest.raises(results.ResultsError, match="lint read 4 of 5 files"):
        lint._found(tree, lint_tree.FILES, tmp_path / "found.json", os.environ)


def test_a_lint_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="ended with 3: vipkeeper: nothing that can be judged"):
        lint._found(tmp_path, 5, tmp_path / "found.json", os.environ)
