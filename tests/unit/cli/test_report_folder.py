"""The report folder of a drill: the next report takes the place of the last one, and of nothing else."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path

import pytest

from support.full_disk import no_file_longer_than
from unit.report.sample import FULL
from vipkeeper.cli.report_folder import check_replaceable, put, ready, write_folder
from vipkeeper.errors import HostError, UsageError
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


def test_pictures_of_two_faults_at_once_go_with_their_report(tmp_path: Path) -> None:
    pair = dataclasses.replace(FULL.acts[0], name="loss+power-off")
    write_folder(dataclasses.replace(FULL, acts=(pair,)), {}, tmp_path)
    assert "loss+power-off.svg" in files(tmp_path)
    write_folder(dataclasses.replace(FULL, acts=()), {}, tmp_path)
    assert files(tmp_path) == {"run.json", "index.html"}


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a report"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("index.html", "<!doctype html><h1>mine</h1>"),
        ("run.json", '{"mine": 1}'),
        ("run.json", "mine"),
        ("run.json", "[" * 100_000),
    ],
)
def test_somebody_elses_page_or_record_is_not_replaced(
    tmp_path: Path, name: str, text: str, beside: bool
) -> None:
    if beside:
        write_folder(FULL, {}, tmp_path)
    own = tmp_path / name
    own.write_text(text)
    with pytest.raises(UsageError, match=f"--report: {own} is no report's; choose another folder"):
        check_replaceable(tmp_path)


def test_a_report_may_replace_a_report(tmp_path: Path) -> None:
    check_replaceable(tmp_path / "not there")
    check_replaceable(tmp_path)
    write_folder(FULL, {}, tmp_path)
    check_replaceable(tmp_path)
    record = tmp_path / "run.json"
    record.write_text(record.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    check_replaceable(tmp_path)
    record.unlink()
    check_replaceable(tmp_path)


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


@pytest.fixture(params=[0o1777, 0o777], ids=["as /tmp", "open to all"])
def anybodys(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder in which anybody may set something."""
    folder = tmp_path / "anybodys"
    folder.mkdir()
    folder.chmod(request.param)
    return folder


@pytest.mark.parametrize("planted", ["run.json", "run.json.part"])
def test_a_link_planted_for_a_file_is_replaced_and_not_written_through(
    tmp_path: Path, planted: str
) -> None:
    folder, victim = tmp_path / "report", tmp_path / "victim"
    folder.mkdir()
    victim.write_text("mine")
    (folder / planted).symlink_to(victim)
    put(folder, {"run.json": "new"})
    assert victim.read_text() == "mine"
    assert not (folder / "run.json").is_symlink()
    assert (folder / "run.json").read_text() == "new"
    assert files(folder) == {"run.json"}


def test_own_files_and_what_a_killed_drill_left_are_replaced(tmp_path: Path) -> None:
    for name in ("run.json", "run.json.part"):
        (tmp_path / name).write_text("old")
    put(tmp_path, {"run.json": "new"})
    assert files(tmp_path) == {"run.json"}
    assert (tmp_path / "run.json").read_text() == "new"


def test_a_folder_within_that_is_a_link_is_neither_written_to_nor_cleared(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "report", tmp_path / "elsewhere"
    name = f"{FULL.acts[0].name}-{FULL.acts[0].run}"
    (elsewhere / name).mkdir(parents=True)
    (elsewhere / name / "cp1-vipkeeper.log").write_text("mine")
    folder.mkdir()
    (folder / "run.json").write_text(dump_run(FULL))
    (folder / "logs").symlink_to(elsewhere)
    (elsewhere / "daemon-killed-1").mkdir()
    for log in ("new.log", "power-off-1/cp1-vipkeeper.log", "daemon-killed-1/cp1-vipkeeper.log"):
        with pytest.raises(HostError, match="logs is a link; choose another folder"):
            put(folder, {f"logs/{log}": "x"})
    write_folder(dataclasses.replace(FULL, acts=()), {}, folder)
    assert files(elsewhere) == {f"{name}/cp1-vipkeeper.log"}
    assert {path.name for path in elsewhere.iterdir()} == {name, "daemon-killed-1"}


def test_where_anybody_may_make_one_a_link_to_a_folder_is_refused(anybodys: Path) -> None:
    real, link = anybodys.parent / "real", anybodys / "report"
    real.mkdir()
    link.symlink_to(real)
    with (
        pytest.raises(UsageError, match="is a link in a place where anybody may make one"),
        ready(link),
    ):
        pytest.fail("it is played")
    with pytest.raises(HostError, match="choose another folder with --report DIR"):
        put(link, {"run.json": "x"})
    assert not files(real)
    own = anybodys.parent / "own-link"
    own.symlink_to(real)
    with ready(own):
        put(own, {"run.json": "x"})
    assert files(real) == {"run.json"}


def test_where_anybody_may_make_one_a_folder_of_somebody_else_is_refused(
    anybodys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = anybodys / "report"
    folder.mkdir()
    lstat = os.lstat

    def owned_by(user: int) -> None:
        def found(path: Path) -> os.stat_result:
            fields = list(lstat(path))
            fields[4] = user
            return os.stat_result(fields)

        monkeypatch.setattr(os, "lstat", found)

    owned_by(os.geteuid() + 4711)
    with pytest.raises(UsageError, match="report is somebody else's"), ready(folder):
        pytest.fail("it is played")
    with pytest.raises(HostError, match="report is somebody else's"):
        put(folder, {"run.json": "x"})
    for user in (os.geteuid(), 0):
        owned_by(user)
        with ready(folder):
            put(folder, {"run.json": "x"})
