"""A soak in parts: how far each goes, what is known of the machine, and what the page says of it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from bench import results, soak, table
from bench.command import main as bench

from support.full_disk import no_file_longer_than
from vipkeeper.report.soak import (
    Soak,
    SoakFault,
    SoakOutage,
    SoakPart,
    SoakSkip,
    SoakViolation,
    dump_soak,
    load_soak,
)

START = "2026-11-27T10:00:00Z"
EMPTY = Soak(7, START, 0.0, (), (), (), (), seconds=0.0)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of the parts; each plays all that it was told to, with a fault."""
    commands: list[list[str]] = []

    def run(words: list[str]) -> int:
        commands.append(words)
        path = Path(words[words.index("--part") + 1])
        there = load_soak(path.read_text()) if path.exists() else EMPTY
        hours = float(words[words.index("--hours") + 1])
        part = SoakPart(there.length, START, {"cores": "2"})
        fault = SoakFault(there.length, there.length + 1, "loss", "cp1")
        faults, parts = (*there.faults, fault), (*there.parts, part)
        new = replace(there, hours=hours, seconds=hours * 3600, faults=faults, parts=parts)
        path.write_text(dump_soak(new))
        return 0

    monkeypatch.setattr(soak, "_run", run)
    monkeypatch.setattr(
        results, "conditions", lambda: {"commit": "abc", "cpu": "x", "started": "y"}
    )
    return commands


def play(path: Path) -> int:
    return soak.play(1.0, 45.0, quiet=False, seed=7, path=path)


def test_each_part_goes_on_to_its_minutes_until_all_hours_are_played(
    tmp_path: Path, told: list[list[str]]
) -> None:
    path = tmp_path / "soak.json"
    assert [play(path) for _ in range(3)] == [0, 0, 0]
    assert [words[words.index("--hours") + 1] for words in told] == ["0.750000", "1.000000"]
    assert all("--quiet" not in words for words in told)
    assert load_soak(path.read_text()).length == 3600.0


def test_each_part_says_on_what_it_was_played(
    tmp_path: Path, told: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "soak.json"
    play(path)
    monkeypatch.setattr(results, "conditions", lambda: {"commit": "def"})
    play(path)
    first, second = load_soak(path.read_text()).parts
    assert first.conditions == {"cores": "2", "commit": "abc", "cpu": "x"}
    assert second.conditions == {"cores": "2", "commit": "def"}


def test_a_signal_as_soon_as_the_report_folder_is_made_leaves_none(
    tmp_path: Path, told: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    make = os.mkdir

    def interrupted(path: str | Path, mode: int = 0o777) -> None:
        make(path, mode)
        raise KeyboardInterrupt

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with monkeypatch.context() as signalled:
        signalled.setattr(os, "mkdir", interrupted)
        with pytest.raises(KeyboardInterrupt):
            play(tmp_path / "soak.json")
    assert list(tmp_path.iterdir()) == []
    assert told == []


def test_the_page_counts_what_was_played_and_names_what_was_broken(
    tmp_path: Path, told: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "soak.json"
    play(path)
    broken = SoakViolation(12.0, "S1: cp1 and cp2 both answer")
    played = load_soak(path.read_text())
    skip = SoakSkip(3.0, "thaw", "no cgroup v2")
    path.write_text(dump_soak(replace(played, skipped=(skip, skip))))
    quiet = replace(EMPTY, hours=1.0, seconds=3600.0, quiet=True, violations=(broken,))
    (tmp_path / "soak-quiet.json").write_text(dump_soak(quiet))
    (tmp_path / "soak.svg").write_text("")
    monkeypatch.setattr(table, "PICTURES", tmp_path)
    page = table.page(table.gather(tmp_path))
    assert "| soak | 0.75 | 7 | 1 | 0 | 0 |  | 0 |" in page
    assert "| soak-quiet, nothing broken | 1.00 | 7 | 0 | 0 | 0 |  | 1 |" in page
    assert "* **soak**: skipped 2 times: thaw: no cgroup v2\n" in page
    assert "* **soak-quiet**, 12 s: S1: cp1 and cp2 both answer" in page
    assert "(pictures/soak.svg)" in page
    assert "(pictures/soak-quiet.svg)" not in page
    assert "commit abc" in page


def test_the_longest_outages_name_the_faults_they_began_in(tmp_path: Path) -> None:
    played = replace(
        EMPTY,
        faults=(SoakFault(10.0, 20.0, "busy"), SoakFault(30.0, 34.0, "stale-client")),
        outages=(SoakOutage(12.0, 12.2), SoakOutage(31.0, 34.1)),
    )
    page = soak.section({"soak": dump_soak(played)}, tmp_path)
    said = "3100 ms at 0:00:31 (stale-client), 200 ms at 0:00:12 (busy)"
    assert f"* **soak**: longest waits: {said}\n" in page


def test_a_full_disk_is_one_line_and_keeps_what_was_recorded(
    tmp_path: Path,
    told: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "soak.json"
    play(path)
    before = path.read_text()
    with no_file_longer_than(100):
        assert bench(["table", "--out", str(path), "--results", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        f"bench: cannot write {path}: File too large; what was recorded before is"
    )
    assert len(said.splitlines()) == 1
    assert path.read_text() == before
    assert [one.name for one in tmp_path.iterdir()] == ["soak.json"]
    monkeypatch.setattr(soak, "_run", lambda _: 2)
    with no_file_longer_than(100):
        assert play(path) == 2
