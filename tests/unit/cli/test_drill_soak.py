"""`drill soak` before it plays: what it takes, where it goes on, what it keeps."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.full_disk import no_file_longer_than
from vipkeeper.cli import drill, drill_soak, main
from vipkeeper.cli.drill_soak import UNBUDGETED, Place, Record
from vipkeeper.errors import ExitCode, HostError, UsageError
from vipkeeper.report.soak import Soak, SoakFault, SoakViolation, dump_soak, load_soak

STARTED = "2026-11-27T10:00:00Z"


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    drill.add_arguments(parser)
    return parser.parse_args(["soak", *words])


def begun(args: argparse.Namespace, there: Soak | None, folder: Path) -> Soak:
    """What a command makes of the record that is there."""
    path = folder / "there.json"
    if there is not None:
        Record(path).save(there)
    return drill_soak.begun(args, Place(path, "--part", folder))


def played(*words: str) -> Soak:
    """A record after twenty minutes."""
    nowhere = Place(Path("nothing-is-here"), "--part", Path("nor-here"))
    fresh = drill_soak.begun(arguments("--hours", "1", "--seed", "7", *words), nowhere)
    faults = (SoakFault(1.0, 2.0, "loss", "cp1"),)
    return replace(fresh, started=STARTED, seconds=1200.0, drawn=40, faults=faults)


def test_the_same_command_goes_on_where_the_record_ends(tmp_path: Path) -> None:
    soak = begun(arguments("--hours", "1"), played(), tmp_path)
    assert (soak.seed, soak.drawn, soak.length) == (7, 40, 1200.0)
    assert begun(arguments("--hours", "2"), played(), tmp_path).hours == 2


def test_a_fresh_record_has_no_move_budget_unless_asked_for_one(tmp_path: Path) -> None:
    assert begun(arguments("--hours", "1"), None, tmp_path).settings == (UNBUDGETED,)
    asked = begun(arguments("--hours", "1", "--set", "move_budget=9"), None, tmp_path)
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
def test_a_record_of_another_soak_is_not_gone_on_with(
    words: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        begun(arguments("--hours", "1", *words), played(), tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["soak"], "--hours H"),
        (["loss", "--hours", "1"], "belong to 'drill soak'"),
        (["soak", "loss", "--hours", "1"], "takes no acts"),
        (["soak", "--hours", "1", "--runs", "2"], "it has no --runs"),
        (["soak", "--hours", "1", "--manager", "keepalived"], "only vipkeeper's own promises"),
        (["soak", "--hours", "1", "--why", "--output", "json"], "it has no --output, --why"),
        (["--why", "--runs", "2", "--seed", "0"], "drill --why: it has no --runs, --seed"),
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


def test_what_was_recorded_is_kept_when_no_more_can_be_written(tmp_path: Path) -> None:
    record = Record(tmp_path / "soak.json")
    record.save(played())
    longer = replace(played(), faults=(SoakFault(1.0, 2.0, "loss", "cp1"),) * 1000)
    with no_file_longer_than(4096), pytest.raises(HostError, match=r"what was recorded .* kept"):
        record.save(longer)
    assert load_soak((tmp_path / "soak.json").read_text()) == played()
    assert [path.name for path in tmp_path.iterdir()] == ["soak.json"]


def test_a_record_is_not_written_through_a_link_that_somebody_planted(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".soak.json.new").symlink_to(victim)
    with pytest.raises(HostError, match="cannot write"):
        Record(tmp_path / "soak.json").save(played())
    assert victim.read_text() == "mine"


def test_a_record_says_what_the_command_was(tmp_path: Path) -> None:
    Record(tmp_path / "soak.json").save(played("--interval", "200ms"))
    found = json.loads((tmp_path / "soak.json").read_text())
    assert (found["drawn"], found["interval_ms"], found["settings"]) == (40, 200, [UNBUDGETED])


@pytest.mark.parametrize(
    ("words", "record", "drawn"),
    [
        ([], "soak.json", False),
        (["--report", "night"], "night/soak.json", True),
        (["--part", "night.json"], "night.json", False),
        (["--part", "night.json", "--report", "night"], "night.json", False),
    ],
)
def test_the_record_is_where_the_options_say(words: list[str], record: str, drawn: bool) -> None:
    place = Place.of(arguments("--hours", "1", *words))
    assert (str(place.record), place.drawn) == (record, drawn)


def soaked(monkeypatch: pytest.MonkeyPatch, *words: str, **found: object) -> int:
    """`drill soak` of which the box gives a soak of twenty minutes in which nothing broke."""
    parcel = {"interrupted": False, "soak": dump_soak(played()), "report": None} | found

    def box(_work: object, take: Callable[[bytes], None], **_: object) -> int:
        take(json.dumps(parcel).encode())
        return 0

    monkeypatch.setattr(drill_soak, "in_box", box)
    return main.main(["drill", "soak", "--hours", "1", "--seed", "7", *words])


@pytest.mark.parametrize(("interrupted", "code"), [(False, ExitCode.OK), (True, 130)])
def test_the_folder_of_a_soak_has_its_record_and_its_picture(
    interrupted: bool, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert soaked(monkeypatch, "--report", "night", interrupted=interrupted) == code
    assert {path.name for path in (tmp_path / "night").iterdir()} == {"soak.json", "soak.svg"}
    assert [path.name for path in tmp_path.iterdir()] == ["night"]
    assert main.main(["report", "night", "--output", "text=night.txt"]) == ExitCode.OK
    assert (tmp_path / "night.txt").read_text().startswith("Soak")


@pytest.mark.parametrize("words", [[], ["--part", "soak.json"]])
def test_where_nothing_was_broken_no_empty_folder_is_left(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert soaked(monkeypatch, *words) == ExitCode.OK
    assert [path.name for path in tmp_path.iterdir()] == ["soak.json"]


def test_a_record_in_the_folder_that_is_of_another_soak_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    soaked(monkeypatch, "--report", "night")
    assert soaked(monkeypatch, "--report", "night", "--quiet") == ExitCode.USAGE
    said = capsys.readouterr().err.splitlines()[-1]
    assert "--report: night/soak.json: the soak in it has another --quiet" in said


def test_a_soak_that_is_over_does_not_say_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Record(tmp_path / "night.json").save(replace(played(), seconds=3600.0))
    soaked(monkeypatch, "--part", str(tmp_path / "night.json"), "--report", str(tmp_path / "r"))
    first = capsys.readouterr().err.splitlines()[0]
    assert "1:00:00 of them played; seed 7; nothing is left to play; record:" in first
