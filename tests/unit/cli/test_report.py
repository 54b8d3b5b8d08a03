"""`vipkeeper report`: what it writes where, and what it says of bad input."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from unit.report.sample import FULL, SOAK, run_report
from vipkeeper.cli.main import main
from vipkeeper.report.json import dump_run, load_run
from vipkeeper.report.soak import dump_soak


@pytest.fixture
def record(tmp_path: Path) -> str:
    path = tmp_path / "run.json"
    path.write_text(dump_run(FULL))
    return str(path)


def test_text_is_the_default_and_a_folder_will_do(
    record: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", record]) == 0
    text = capsys.readouterr().out
    assert "power-off" in text
    assert main(["report", os.path.dirname(record)]) == 0
    assert capsys.readouterr().out == text


def test_of_a_folder_with_a_drill_and_a_soak_the_other_one_is_named(
    record: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soak = tmp_path / "soak.json"
    soak.write_text(dump_soak(SOAK))
    assert main(["report", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert err == f"report: {record} is drawn; to draw the other one name it: {soak}\n"
    assert out.startswith("drill with ")
    assert main(["report", str(soak)]) == 0
    out, err = capsys.readouterr()
    assert (out.startswith("Soak"), err) == (True, "")


def test_every_format_at_once(
    record: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: tmp_path / f"out.{name}" for name in ("svg", "html", "json")}
    options = [f"--output={name}={path}" for name, path in files.items()]
    assert main(["report", record, "--act", "freeze", "--output", "text", *options]) == 0
    assert "freeze" in capsys.readouterr().out
    assert files["svg"].read_text().startswith("<svg ")
    assert files["html"].read_text().startswith("<!doctype html>")
    assert {act.name for act in load_run(files["json"].read_text()).acts} == {"freeze"}


def test_colour_on_demand(record: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["report", record, "--color", "always"])
    assert "\x1b[" in capsys.readouterr().out
    main(["report", record, "--color", "never", "--ascii"])
    text = capsys.readouterr().out
    assert "\x1b[" not in text
    assert text.isascii()


@pytest.mark.parametrize(
    ("content", "options", "code", "message"),
    [
        (None, (), 2, "run.json: No such file or directory; expected a record of a drill"),
        (b"\xff", (), 2, "run.json: not UTF-8 text"),
        (b"{", (), 2, "run.json: 1:2: not JSON"),
        (dump_run(run_report()).encode(), (), 3, "the record has no acts"),
        (dump_run(FULL).encode(), ("--act", "x"), 2, "expected one of: power-off, freeze, etcd"),
        (
            dump_run(FULL).encode(),
            ("--output", "svg"),
            2,
            "svg draws one act; choose it with --act",
        ),
        (dump_soak(SOAK).encode(), ("--act", "loss"), 2, "--act: a soak is drawn whole"),
        (dump_soak(SOAK).encode(), ("--picture", "network"), 2, "--picture: a soak has one"),
    ],
)
def test_bad_input(
    content: bytes | None,
    options: tuple[str, ...],
    code: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "run.json"
    if content is not None:
        path.write_bytes(content)
    assert main(["report", str(path), *options]) == code
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
