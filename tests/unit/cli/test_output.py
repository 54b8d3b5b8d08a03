"""Output helpers: where results go and what the terminal is told."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from support.full_disk import no_file_longer_than
from vipkeeper.cli import output
from vipkeeper.cli.output import Style, Target, Tone
from vipkeeper.errors import HostError, UsageError


class Terminal(io.StringIO):
    encoding = "UTF-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_terminal_gets_colour_and_glyphs() -> None:
    style = Style.of(Terminal())
    assert style == Style(colour=True, ascii=False)
    assert style.paint("x", Tone.BAD) == "\x1b[31mx\x1b[0m"
    assert style.glyph("✓", "ok") == "✓"


@pytest.mark.parametrize(
    ("name", "value", "style"),
    [
        ("NO_COLOR", "1", Style(colour=False, ascii=False)),
        ("TERM", "dumb", Style(colour=False, ascii=True)),
    ],
)
def test_the_environment_is_obeyed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, style: Style
) -> None:
    monkeypatch.setenv(name, value)
    assert Style.of(Terminal()) == style


def test_a_pipe_gets_no_colour_unless_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    assert Style.of(pipe) == Style(colour=False, ascii=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert Style.of(pipe).colour


def test_an_ascii_stream_gets_ascii() -> None:
    assert Style.of(io.TextIOWrapper(io.BytesIO(), encoding="ascii")).ascii
    assert Style.of(None).ascii


def test_a_file_gets_its_own_format_without_colour(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    path = tmp_path / "out.json"
    output.deliver(
        [Target("text", None), Target("json", path)],
        {"text": lambda s: s.paint("t", Tone.GOOD), "json": lambda s: s.paint("{}", Tone.GOOD)},
    )
    assert capsys.readouterr().out == "\x1b[32mt\x1b[0m\n"
    assert path.read_text() == "{}\n"


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    target = Target("json", tmp_path / "missing" / "x")
    with pytest.raises(HostError, match=r"--output: cannot write .*: No such file"):
        output.deliver([target], {"json": lambda _: "{}"})


def test_columns_line_up() -> None:
    assert output.table(["A", "LONG"], [["wide", "x"]]) == ["A     LONG", "wide  x"]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (83.4, "83 ms"),
        (999, "999 ms"),
        (1000, "1.0 s"),
        (119_000, "119.0 s"),
        (120_000, "2 min"),
        (3 * 3_600_000, "3 h"),
        (49 * 3_600_000, "2 d"),
    ],
)
def test_durations_read_well(milliseconds: float, text: str) -> None:
    assert output.duration(milliseconds) == text


def test_a_date_that_is_none_is_shown_as_it_is() -> None:
    assert output.local_time("yesterday") == "yesterday"
    assert output.local_time("0001-01-01T00:00:00+00:00") != ""


def to_file(path: Path, text: str) -> None:
    output.deliver((Target("text", path),), {"text": lambda _: text})


def test_a_result_that_the_disk_does_not_take_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    to_file(path, "before")
    with no_file_longer_than(100), pytest.raises(HostError, match=r"--output: cannot write .*json"):
        to_file(path, "x" * 1000)
    with no_file_longer_than(100), pytest.raises(HostError):
        to_file(tmp_path / "another.json", "x" * 1000)
    assert [one.name for one in tmp_path.iterdir()] == ["result.json"]
    assert path.read_text() == "before\n"


def test_a_file_that_is_written_anew_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    path, link = tmp_path / "result.json", tmp_path / "latest"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path.name)
    to_file(link, "after")
    assert link.is_symlink()
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("after\n", 0o640)


def test_what_somebody_put_in_the_way_of_a_new_file_is_not_written_to(tmp_path: Path) -> None:
    path, victim = tmp_path / "result.json", tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / ".result.json.new").symlink_to(victim)
    to_file(path, "after")
    assert (path.read_text(), victim.read_text()) == ("after\n", "untouched")
    assert not path.is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_that_root_writes_anew_stays_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("before")
    os.chown(path, 1234, 1234)
    to_file(path, "after")
    assert (path.read_text(), path.stat().st_uid, path.stat().st_gid) == ("after\n", 1234, 1234)


def test_a_pipe_is_written_to_and_not_replaced() -> None:
    reader, writer = os.pipe()
    to_file(Path(f"/proc/self/fd/{writer}"), "through a pipe")
    assert os.read(reader, 100) == b"through a pipe\n"
    for one in (reader, writer):
        os.close(one)


def test_what_no_file_takes_is_still_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [Target("json", tmp_path / "full.json"), Target("html", tmp_path / "page.html")]
    long = {"json": lambda _: "x" * 5000, "html": lambda _: "page", "text": lambda _: "result"}
    with no_file_longer_than(4096), pytest.raises(HostError, match=r"full\.json: File too large"):
        output.deliver(asked, long, instead="text")
    assert capsys.readouterr().out == "result\n"
    assert (tmp_path / "page.html").read_text() == "page\n"
    with no_file_longer_than(4096), pytest.raises(HostError):
        output.deliver([asked[0], Target("html", None)], long, instead="text")
    assert capsys.readouterr().out == "page\n"


@pytest.mark.parametrize("name", ["no/such/file", ".", "file/below"])
def test_a_file_that_cannot_be_written_is_refused_at_once(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    output.check_files([Target("json", tmp_path / "new"), Target("json", tmp_path / "file")])
    with pytest.raises(UsageError, match="--output: cannot write"):
        output.check_files([Target("json", tmp_path / name)])
