"""The report folder of a drill: the next report takes the place of the last one, and of nothing else."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest

from support.full_disk import no_file_longer_than
from unit.report.sample import FULL
from vipkeeper.cli.report_folder import ready, write_folder
from vipkeeper.errors import HostError
from vipkeeper.report.json import dump_run

LOGS = {"power-off-1/cp1-vipkeeper.log": "x", "power-off-1/cp2-standin.log": "x"}


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_next_report_leaves_nothing_of_the_last_one(tmp_path: Path) -> None:
    write_folder(FULL, LOGS, tmp_path)
    assert {"run.json", "index.html", "power-off.svg", *(f"logs/{n}" for n in LOGS)} <= files(
        tmp_path
    )
    write_folder(dataclasses.replace(FULL, acts=()), {}, tmp_path)
    assert files(tmp_path) == {"run.json", "index.html"}
    assert not (tmp_path / "logs").exists()


def test_what_no_report_wrote_stays(tmp_path: Path) -> None:
    write_folder(FULL, LOGS, tmp_path)
    own = {"notes.txt", "mine.svg", "logs/power-off-1/my-notes.log", "logs/other/cp1-vipkeeper.log"}
    for name in own:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    write_folder(dataclasses.replace(FULL, acts=()), {}, tmp_path)
    assert files(tmp_path) == {"run.json", "index.html"} | own


def test_folder_without_a_readable_report_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "power-off.svg").write_text("mine")
    write_folder(dataclasses.replace(FULL, acts=()), {}, tmp_path)
    assert "power-off.svg" in files(tmp_path)


def test_name_in_a_foreign_record_does_not_lead_out(tmp_path: Path) -> None:
    folder, victim = tmp_path / "report", tmp_path / "victim.svg"
    folder.mkdir()
    victim.write_text("mine")
    act = dataclasses.replace(FULL.acts[0], name="../victim")
    other = dataclasses.replace(FULL, acts=(act,))
    (folder / "run.json").write_text(dump_run(other))
    write_folder(dataclasses.replace(FULL, acts=()), {}, folder)
    assert victim.exists()


def test_report_that_cannot_be_written_whole_leaves_the_one_before(tmp_path: Path) -> None:
    """As on a full disk: one file of several cannot be written."""
    write_folder(dataclasses.replace(FULL, acts=FULL.acts[:1]), {}, tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    in_the_way = tmp_path / f"{FULL.acts[-1].name}.svg.part"
    in_the_way.mkdir()
    with pytest.raises(HostError, match="--report: cannot write to"):
        write_folder(FULL, LOGS, tmp_path)
    in_the_way.rmdir()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_what_a_full_disk_takes_no_more_is_not_left_in_pieces(tmp_path: Path) -> None:
    write_folder(dataclasses.replace(FULL, acts=()), {}, tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    more = {"traces/cp1.ndjson": "short", "traces/cp2.ndjson": "x" * 500_000}
    with no_file_longer_than(400_000), pytest.raises(HostError, match="File too large"):
        write_folder(FULL, LOGS, tmp_path, more)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_a_folder_made_for_a_report_that_never_came_is_not_left(tmp_path: Path) -> None:
    folder, own = tmp_path / "report", tmp_path / "own"
    own.mkdir()
    for path in (folder, own):
        with contextlib.suppress(KeyboardInterrupt), ready(path):
            raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == [own]
    with ready(folder):
        write_folder(FULL, {}, folder)
    assert (folder / "run.json").exists()
