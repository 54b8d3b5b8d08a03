"""The command line of the bench: what it refuses, in one line each, and what it leaves alone."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench import command, rest, results, table

OWN = {"schema_version": 1, "cells": {}, "left_out": {"ucarp": "missing"}}


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What one line says, without the program's name."""
    assert command.main(list(words)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    start, _, rest = line.partition(": ")
    assert start == "bench"
    return rest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("versus --minutes 0", "'0' is no number of minutes above 0"),
        ("versus --minutes -3", "'-3' is no number of minutes above 0"),
        ("versus --minutes nan", "'nan' is no number of minutes above 0"),
        ("election --scale 0", "'0' is no share above 0 and up to 1"),
        ("probe --scale 2", "'2' is no share above 0 and up to 1"),
        ("soak --hours 0", "'0' is no number of hours above 0"),
        ("versus --hours 3", "versus has no --hours; it has --minutes, --cell,"),
        ("probe --cell power-off", "probe has no --cell; it has --scale, --out"),
        ("table --mix", "table has no --mix; it has --results, --out"),
        ("election --results x", "election has no --results; it has --cell,"),
        ("rest --manager somebody", "argument --manager: invalid choice: 'somebody'"),
        ("lint --manager vipkeeper", "lint has no --manager; it has --scale, --out"),
        ("soak --scale 0.1", "soak has no --scale; it has --hours,"),
        ("nonsense", "argument COMMAND: invalid choice: 'nonsense'"),
        ("--scale", "argument --scale: expected one argument"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, *words.split())


def test_every_option_belongs_to_a_command_and_has_a_default() -> None:
    used = {name for names in command.OPTIONS.values() for name in names}
    assert used == set(command.DEFAULTS)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text("as it was")
    return path


def _results(kind: str, folder: Path) -> Path:
    """A place without results of the bench."""
    place = folder / kind
    if kind in ("empty", "drills"):
        place.mkdir()
    if kind == "drills":
        (place / "run.json").write_text('{"schema_version": 1, "acts": []}')
    if kind == "drill.json":
        place.write_text('{"schema_version": 1, "acts": []}')
    if kind == "odd.json":
        place.write_text("nonsense")
    if kind == "cut":
        place.mkdir()
        (place / "lab.json").write_text(json.dumps(OWN)[:-9])
    if kind == "list.json":
        place.write_text("[]")
    if kind == "cells.json":
        place.write_text('{"schema_version": 1, "cells": []}')
    if kind == "beneath":
        (folder / "file").write_text("")
        return folder / "file" / "beneath"
    return place


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", "there is no such file or folder"),
        ("empty", "no results of the bench in it"),
        ("drills", "no results of the bench in it"),
        ("drill.json", "no results of the bench"),
        ("odd.json", "no JSON"),
        ("list.json", "no results of the bench: expected an object"),
        ("cut", "lab.json: no JSON: "),
        ("cells.json", "damaged: cells: found a list, expected an object"),
        ("beneath", "Not a directory"),
    ],
)
def test_a_table_of_nothing_leaves_the_page(
    kind: str, said: str, tmp_path: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = _results(kind, tmp_path)
    line = refused(capsys, "table", "--results", str(place), "--out", str(page))
    assert str(place) in line
    assert said in line
    assert page.read_text() == "as it was"


@pytest.mark.parametrize("as_folder", [True, False])
def test_a_table_takes_a_folder_or_one_file(as_folder: bool, tmp_path: Path, page: Path) -> None:
    file = tmp_path / "lab.json"
    results.save(file, OWN)
    assert table.gather(tmp_path if as_folder else file)["left_out"] == OWN["left_out"]
    words = ["table", "--results", str(tmp_path if as_folder else file), "--out", str(page)]
    assert command.main(words) == 0
    assert page.read_text().startswith("# Benchmarks")


@pytest.mark.parametrize("what", ["table", "lint", "probe", "rest", "versus", "election", "soak"])
def test_no_folder_is_made_for_a_file_and_nothing_is_measured_for_it(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "no" / "x.json"
    assert refused(capsys, what, "--out", str(path)) == (
        f"cannot write {path}: there is no folder {path.parent}"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["table", "lint", "soak"])
def test_something_else_than_a_file_is_not_replaced(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        assert refused(capsys, what, "--out", str(path)) == (
            f"cannot write {path}: it is no regular file"
        )
    assert pipe.is_fifo()


def test_a_folder_cannot_be_read_as_results(tmp_path: Path) -> None:
    with pytest.raises(results.ResultsError, match=f"cannot read {tmp_path}: Is a directory"):
        results.load(tmp_path)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/some/file"), "/some/file: Permission denied"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "cannot write the output or a temporary file: No space left on device",
        ),
    ],
)  # fmt: skip
def test_an_error_of_the_system_names_what_it_was_about(
    error: OSError,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def measure(_: float) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(command, "_leave_stdout", lambda: None)
    monkeypatch.setitem(command.SINGLE, "lint", (measure, lambda _: ""))
    assert refused(capsys, "lint", "--out", str(tmp_path / "x.json")) == said


def test_file_names_are_from_where_the_user_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(command.USER_IS_IN, str(tmp_path))
    monkeypatch.setitem(command.SINGLE, "lint", (lambda _: {"measured": 1}, lambda _: ""))
    assert command.main(["lint", "--out", "own.json"]) == 0
    assert json.loads((tmp_path / "own.json").read_text())["lint"] == {"measured": 1}
    assert command._asked(["table", "--results", "own.json"]).results == tmp_path / "own.json"
    assert command._asked(["table", "--results", "/own.json"]).results == Path("/own.json")


def test_what_is_measured_anew_takes_the_place_of_what_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two files with the same the table takes one: a user's own figures must not lie in the other."""
    published = {
        name: path.name
        for path in results.DEFAULT.parent.glob("*.json")
        for name in results.document(path.read_text(encoding="utf-8"), path)
    }
    monkeypatch.setattr(results, "DEFAULT", tmp_path / "lab.json")
    for name in (*command.SINGLE, "rest"):
        args = command._asked([name])
        assert command._file(args).name == published.get(name, f"{name}.json"), name
        assert command._file(args).parent == tmp_path


def test_of_two_measurements_of_the_same_the_page_has_the_later(tmp_path: Path) -> None:
    process = {"role": "keeper", "rss_kib": 20_000, "pss_kib": 15_000}
    for name, hour, percent in (("rest", 12, 1.0), ("versus", 11, 2.0)):
        at = {"conditions": {"started": f"2026-11-27T{hour}:00:00Z"}}
        server = {"holder": True, "cpu_percent": percent, "processes": [process]}
        cost = {"rest_versus": {"vipkeeper": at | {"servers": {"cp1": server}}}}
        results.save(tmp_path / f"{name}.json", OWN | cost)
    cost = table.gather(tmp_path)["rest_versus"]["vipkeeper"]
    assert cost["servers"]["cp1"]["cpu_percent"] == 1.0


def test_costs_at_rest_are_added_to_those_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = {"role": "keeper", "rss_kib": 20_000, "pss_kib": 15_000}
    cost = {"servers": {"cp1": {"holder": True, "cpu_percent": 0.5, "processes": [process]}}}
    monkeypatch.setattr(rest, "measure_all", lambda names, _: dict.fromkeys(names, cost))
    file = tmp_path / "own.json"
    for name in ("vipkeeper", "ucarp-best"):
        assert command.main(["rest", "--manager", name, "--out", str(file)]) == 0
    assert json.loads(file.read_text())["rest_versus"].keys() == {"vipkeeper", "ucarp-best"}


def test_dev_says_where_the_user_is() -> None:
    assert f'os.environ["{command.USER_IS_IN}"] = ' in (results.ROOT / "dev").read_text()


@pytest.fixture(params=["overview", "table", "--help"])
def words(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Commands that write more to stdout than is buffered, a line, and what argparse writes itself."""
    results.save(tmp_path / "lab.json", OWN)
    table = ["table", "--results", str(tmp_path), "--out", str(tmp_path / "page.md")]
    return {"overview": [], "table": table, "--help": ["--help"]}[request.param]


def test_an_output_that_takes_no_more_is_one_line(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = _bench(words, full.fileno())
    assert done.returncode == 2
    assert done.stderr == (
        "bench: cannot write the output or a temporary file: No space left on device\n"
    )


def test_a_reader_that_is_gone_is_no_error(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = _bench(words, writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (command.PIPE_CLOSED, "")


def _bench(words: list[str], stdout: int) -> subprocess.CompletedProcess[str]:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=results.ROOT, stdout=stdout,
        stderr=subprocess.PIPE, text=True, check=False, timeout=60, env=buffered,
    )  # fmt: skip


def test_a_page_of_somebodys_own_results_says_so_and_has_none_of_the_published_pictures(
    tmp_path: Path,
) -> None:
    published = results.DEFAULT.parent / "versus.json"
    own, page = tmp_path / "mine.json", tmp_path / "own.md"
    own.write_bytes(published.read_bytes())
    assert command.main(["table", "--results", str(own), "--out", str(page)]) == 0
    text = page.read_text()
    assert f"Made by `./dev bench table` from {own}.\n" in text
    assert "bench/results" not in text
    assert "](pictures/" not in text
    assert command.main(["table", "--out", str(page)]) == 0
    text = page.read_text()
    assert "from the raw results in [bench/results/]" in text
    assert "](pictures/outages-fault-power-off.svg)" in text
