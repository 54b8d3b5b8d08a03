"""Bundles that `vipkeeper drill --why` recorded, and the whole answer to each.

To record them anew: drill --why quorum-lost only-server-api-dead --bundles DIR.
"""

from __future__ import annotations

import json
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


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("text", "INCOMPLETE  the bundle of cp1 could not be read whole (it ends in the middle of"),
        (
            "markdown",
            "**Incomplete**\n\n* the bundle of cp1 could not be read whole (it ends in the middle of",
        ),
        (
            "html",
            '<main>\n<p role="note"><b>Incomplete:</b> the bundle of cp1 could not be read whole',
        ),
        ("json", "the bundle of cp1 could not be read whole (it ends in the middle of"),
    ],
)
def test_the_answer_to_a_cut_bundle_begins_with_the_cut(
    form: str, begins: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cause that stands on half of a bundle is not read as one that stands on all of it."""
    whole = max((FOLDER / "one-of-one").glob("*.tar.gz"))
    cut = tmp_path / whole.name
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert main(["why", "--from", str(cut), "--ascii", "--output", form]) == 1
    said = capsys.readouterr().out
    if form == "json":
        (said,) = json.loads(said)["incomplete"]
    elif form == "html":
        said = said[said.index("<main>") :]
    assert said.startswith(begins)
    assert "the answer rests on the part that could be read" in " ".join(said.split())


def test_recorded_bundles_are_small() -> None:
    sizes = [path.stat().st_size for path in FOLDER.rglob("*.tar.gz")]
    assert sizes
    assert max(sizes) < LARGEST
