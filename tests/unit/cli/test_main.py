"""The frame: every end of a verb becomes one line and an exit code."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

from vipkeeper.cli.main import PIPE_CLOSED, VERBS, Verb, main
from vipkeeper.errors import ExitCode, HostError, NothingError, RefusedError, UsageError


class FakeVerb(ModuleType):
    NAME = "status"
    HELP = "A verb for tests."

    def __init__(self, end: BaseException | int) -> None:
        super().__init__("fake")
        self.end = end

    def add_arguments(self, parser: object) -> None:
        del parser

    def main(self, args: object) -> int:
        del args
        if isinstance(self.end, BaseException):
            raise self.end
        return self.end


def run(monkeypatch: pytest.MonkeyPatch, end: BaseException | int) -> int:
    monkeypatch.setitem(sys.modules, "vipkeeper.cli.status", FakeVerb(end))
    return main(["status"])


def turned_into_another_error() -> RuntimeError:
    """What Python 3.11 makes of a Ctrl-C while a class is being made, an enumeration for one."""
    error = RuntimeError("Error calling __set_name__")
    error.__cause__ = KeyboardInterrupt()
    return error


@pytest.mark.parametrize(
    ("end", "code", "line"),
    [
        (0, 0, ""),
        (4, 4, ""),
        (UsageError("one\ntwo"), 2, "vipkeeper: one\nvipkeeper: two\n"),
        (HostError("no"), 2, "vipkeeper: no\n"),
        (RefusedError("no"), 1, "vipkeeper: no\n"),
        (NothingError("no"), 3, "vipkeeper: no\n"),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, ""),
        (turned_into_another_error(), ExitCode.INTERRUPTED, ""),
    ],
)
def test_every_end_has_its_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    end: BaseException | int,
    code: int,
    line: str,
) -> None:
    assert run(monkeypatch, end) == code
    captured = capsys.readouterr()
    assert captured.err == line
    assert captured.out == ""


def test_a_defect_is_one_line_and_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("VIPKEEPER_DEBUG", raising=False)
    assert run(monkeypatch, ZeroDivisionError("by\nzero")) == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vipkeeper: internal error (ZeroDivisionError: by zero); please report")
    assert "VIPKEEPER_DEBUG=1" in line


def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIPKEEPER_DEBUG", "1")
    assert run(monkeypatch, ZeroDivisionError()) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_left_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vipkeeper.cli.main._leave_stdout", lambda: None)
    assert run(monkeypatch, BrokenPipeError()) == PIPE_CLOSED
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["statsu"], "unknown verb 'statsu'; did you mean 'status'?"),
        (["zzz"], "unknown verb 'zzz'; see 'vipkeeper --help' for all verbs"),
        (["--nonsense"], "unrecognized arguments: --nonsense (see 'vipkeeper --help')"),
        (
            ["status", "--nonsense"],
            "status: unrecognized arguments: --nonsense (see 'vipkeeper status --help')",
        ),
        (
            ["status", "--output", "xml"],
            "status: argument --output/-o: unknown format 'xml', expected one of text, json "
            "(see 'vipkeeper status --help')",
        ),
        (
            ["status", "--output", "json", "--output", "text"],
            "--output: only one format can go to stdout; give the others =FILE",
        ),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(
    capsys: pytest.CaptureFixture[str], argv: list[str], line: str
) -> None:
    assert main(argv) == 2
    assert capsys.readouterr().err == f"vipkeeper: {line}\n"


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for verb in VERBS:
        assert f"\n  {verb.name} " in text
        assert verb.summary in text


def test_no_verb_is_a_usage_error_with_the_overview(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert "vipkeeper VERB" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_has_its_module(verb: Verb) -> None:
    loaded = importlib.import_module(verb.module)
    assert verb.name == loaded.NAME
    assert loaded.HELP


@pytest.mark.parametrize("words", [(), ("maybe",)])
def test_standby_without_its_word_names_both(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["standby", *words]) == 2
    said = capsys.readouterr().err
    assert "on|off" in said
