"""Bundles that `vipkeeper drill --why` recorded, and the whole answer to each.

To record them anew: drill --why quorum-lost only-server-api-dead --bundles DIR.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from vipkeeper.cli.main import main

FOLDER = Path(__file__).parent / "bundles"
ROOT = FOLDER.parents[2]
LARGEST = 50_000
CASES = {"one-of-one": 1, "one-of-three": 1}
"""Each with the exit code."""


@pytest.mark.parametrize("name", CASES)
def test_the_whole_answer_to_recorded_bundles(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    bundles = [str(p.relative_to(ROOT)) for p in sorted((FOLDER / name).glob("*.tar.gz"))]
    assert bundles
    assert main(["why", "--from", *bundles, "--ascii"]) == CASES[name]
    assert capsys.readouterr().out == (FOLDER / name / "answer.txt").read_text()


def test_recorded_bundles_are_small() -> None:
    sizes = [path.stat().st_size for path in FOLDER.rglob("*.tar.gz")]
    assert sizes
    assert max(sizes) < LARGEST
