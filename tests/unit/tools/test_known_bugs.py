"""The gate itself: a patch that does not fit, or changes nothing that matters, is no known bug."""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PATCHES = ROOT / "tests" / "known_bugs"
HEADER = "Bug: a bug\nSeen: nothing\nCaught by: {by}\nSeeds: 2\n\n"
TARGET = "src/vipkeeper/core/budget.py"
TEST = "test tests/unit/core/test_takeover.py::test_nobody_claims_before_it_has_listened"


def gate(folder: Path, text: str, *arguments: str) -> tuple[int, str]:
    (folder / "one.patch").write_text(text, encoding="utf-8")
    command = [sys.executable, "-P", str(ROOT / "tools" / "known_bugs.py"), "--folder", str(folder)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def harmless() -> str:
    """A patch that adds a comment."""
    lines = (ROOT / TARGET).read_text(encoding="utf-8").splitlines(keepends=True)
    after = [*lines, "# Nothing else.\n"]
    return "".join(difflib.unified_diff(lines, after, f"a/{TARGET}", f"b/{TARGET}"))


def test_a_patch_that_no_longer_applies_is_a_failure(tmp_path: Path) -> None:
    lines = harmless().splitlines(keepends=True)
    lines[-2] = " a line that is not there\n"
    code, said = gate(tmp_path, HEADER.format(by="S1") + "".join(lines))
    assert code == 1
    assert f"the patch no longer applies: patch failed: {TARGET}:" in said


def test_a_bug_that_its_test_does_not_see_is_a_failure(tmp_path: Path) -> None:
    code, said = gate(tmp_path, HEADER.format(by=TEST) + harmless())
    assert code == 1
    assert "NOT CAUGHT: the test passes with the bug" in said


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("Bug: a bug\nSeen: nothing\n", "its header has no Caught by"),
        (HEADER.format(by="S9"), "'S9' is no invariant, test or scenario"),
        (HEADER.format(by="S1").replace("Seeds: 2", "Seeds: two"), "its seeds are no numbers: two"),
    ],
)
def test_a_header_that_says_too_little_is_a_failure(tmp_path: Path, header: str, says: str) -> None:
    code, said = gate(tmp_path, header + harmless())
    assert code == 1
    assert says in said


def test_a_name_that_is_not_there_is_told(tmp_path: Path) -> None:
    code, said = gate(tmp_path, HEADER.format(by="S1") + harmless(), "two")
    assert code == 2
    assert "no such patch" in said


def test_a_bug_put_back_is_caught_by_simulation(tmp_path: Path) -> None:
    text = (PATCHES / "late-resignation-obeyed.patch").read_text(encoding="utf-8")
    code, said = gate(tmp_path, text)
    assert code == 0, said
    assert "1 known bugs caught, 1 of them by simulation" in said
