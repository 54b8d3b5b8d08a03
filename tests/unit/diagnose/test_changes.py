"""What `--diff` calls a change: what somebody saw otherwise than before, not the passing of time."""

from __future__ import annotations

from pathlib import Path

import pytest

from vipkeeper.cli.main import main
from vipkeeper.diagnose.changes import changes
from vipkeeper.diagnose.codec import dump
from vipkeeper.diagnose.facts import Evidence, Fact, Value
from vipkeeper.diagnose.vocabulary import Key, Port

API = Fact(Key.API_PORT, Port.OPEN, "cp1", at=1000)


@pytest.mark.parametrize(
    ("key", "before", "after", "changed"),
    [
        (Key.SUPERVISOR_AGE, 100, 3700, False),
        (Key.SUPERVISOR_AGE, 3700, 100, True),
        (Key.CLOCK_OFFSET, -400, 450, False),
        (Key.CLOCK_OFFSET, -400, 90_000, True),
        (Key.VOTERS, 3, 4, True),
        (Key.API_PORT, Port.OPEN, Port.OPEN, False),
        (Key.API_PORT, Port.OPEN, Port.REFUSED, True),
    ],
)
def test_a_change_is_more_than_time(key: Key, before: Value, after: Value, changed: bool) -> None:
    about = "" if key is Key.VOTERS else "cp1"
    one, other = (Evidence([Fact(key, value, about)]) for value in (before, after))
    assert bool(changes(one, other)) is changed


def test_the_latest_look_of_each_side_counts_and_what_one_side_lacks_is_told() -> None:
    old = Fact(Key.API_PORT, Port.REFUSED, "cp1", at=500)
    new = Fact(Key.DISK_FULL, True, "cp1")
    [change] = changes(Evidence([old, API]), Evidence([API, new]))
    assert (change.before, change.fact.key) == (None, Key.DISK_FULL)


def test_diff_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    before.write_text(dump([API]))
    after.write_text(dump([Fact(Key.API_PORT, Port.REFUSED, "cp1", at=2000)]))
    assert main(["why", "--diff", str(before), str(after)]) == 1
    assert capsys.readouterr().out == "api.port of cp1: open -> refused\n"
    assert main(["why", "--diff", str(before), str(before)]) == 0
    assert capsys.readouterr().out == "nothing changed\n"
