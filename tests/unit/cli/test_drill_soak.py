"""`drill soak` before it plays: what it takes, where it goes on, what it keeps."""

from __future__ import annotations

import argparse
import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from vipkeeper.cli import drill, main
from vipkeeper.cli.drill_soak import UNBUDGETED, Record, begun
from vipkeeper.errors import ExitCode, HostError, UsageError
from vipkeeper.report.soak import Soak, SoakFault, SoakViolation, load_soak

STARTED = "2026-11-27T10:00:00Z"


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    drill.add_arguments(parser)
    return parser.parse_args(["soak", *words])


def played(*words: str) -> Soak:
    """A record after twenty minutes."""
    fresh = begun(arguments("--hours", "1", "--seed", "7", *words), None)
    faults = (SoakFault(1.0, 2.0, "loss", "cp1"),)
    return replace(fresh, started=STARTED, seconds=1200.0, drawn=40, faults=faults)


def test_the_same_command_goes_on_where_the_record_ends() -> None:
    soak = begun(arguments("--hours", "1"), played())
    assert (soak.seed, soak.drawn, soak.length) == (7, 40, 1200.0)
    assert begun(arguments("--hours", "2"), played()).hours == 2


def test_a_fresh_record_has_no_move_budget_unless_asked_for_one() -> None:
    assert begun(arguments("--hours", "1"), None).settings == (UNBUDGETED,)
    asked = begun(arguments("--hours", "1", "--set", "move_budget=9"), None)
    assert asked.settings == ("move_budget: 9",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed", "8"], "another seed"),
        (["--quiet"], "another --quiet"),
        (["--interval", "200ms"], "another --interval"),
        (["--set", "profile=vm"], "another --set"),
    ],
)
def test_a_record_of_another_soak_is_not_gone_on_with(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        begun(arguments("--hours", "1", *words), played())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["soak"], "--hours H"),
        (["loss", "--hours", "1"], "belong to 'drill soak'"),
        (["soak", "loss", "--hours", "1"], "takes no acts"),
        (["soak", "--hours", "1", "--runs", "2"], "it has no --runs"),
        (["soak", "--hours", "1", "--manager", "keepalived"], "only vipkeeper's own promises"),
        (["soak", "--hours", "0"], "no number of hours"),
        (["soak", "--hours", "1", "--quiet", "--pairs"], "--quiet breaks nothing"),
        (["list", "loss"], "no others can be named with it"),
        (["loss+"], "'loss+': name an act on either side of '+'"),
    ],
)
def test_what_makes_no_soak_is_refused_by_name(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["drill", *words]) == ExitCode.USAGE
    assert message in capsys.readouterr().err


def test_a_record_with_a_broken_promise_or_of_something_else_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "soak.json"
    words = ["drill", "soak", "--hours", "1", "--part", str(path)]
    Record(path).save(replace(played(), violations=(SoakViolation(3.0, "S1: two"),)))
    before = path.read_text()
    assert main.main(words) == ExitCode.USAGE
    assert "a promise was broken" in capsys.readouterr().err
    assert path.read_text() == before
    path.write_text("[]")
    assert main.main(words) == ExitCode.USAGE
    assert str(path) in capsys.readouterr().err
    assert path.read_text() == "[]"


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_recorded_is_kept_when_no_more_can_be_written(tmp_path: Path) -> None:
    record = Record(tmp_path / "soak.json")
    record.save(played())
    longer = replace(played(), faults=(SoakFault(1.0, 2.0, "loss", "cp1"),) * 1000)
    with no_file_longer_than(4096), pytest.raises(HostError, match=r"what was recorded .* kept"):
        record.save(longer)
    assert load_soak((tmp_path / "soak.json").read_text()) == played()
    assert [path.name for path in tmp_path.iterdir()] == ["soak.json"]


def test_a_record_says_what_the_command_was(tmp_path: Path) -> None:
    Record(tmp_path / "soak.json").save(played("--interval", "200ms"))
    found = json.loads((tmp_path / "soak.json").read_text())
    assert (found["drawn"], found["interval_ms"], found["settings"]) == (40, 200, [UNBUDGETED])
