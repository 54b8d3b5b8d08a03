"""What `drill` takes and refuses, without playing anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from vipkeeper.cli import drill, main
from vipkeeper.errors import ExitCode, UsageError
from vipkeeper.lab.acts import ACTS, STORY


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> str:
    """What is said about a command line that is refused."""
    report = ["--report", str(folder / "report")]
    assert main.main(["drill", *words, *report]) == ExitCode.USAGE
    return capsys.readouterr().err


def test_whole_story_leaves_out_what_is_played_by_name() -> None:
    assert drill.find_acts([]) == STORY
    assert len(STORY) < len(ACTS)
    assert [act.name for act in drill.find_acts(["split", "loss"])] == ["split", "loss"]
    with pytest.raises(UsageError, match="did you mean 'split'"):
        drill.find_acts(["splitt"])


def test_list_shows_every_act_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["drill", "list"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    first = [line.split()[0] for line in lines if line and not line.startswith("Not part")]
    assert first == [act.name for act in ACTS]


def test_setting_is_a_line_of_the_configuration() -> None:
    assert drill.setting("profile=vm") == "profile: vm"
    assert drill.setting("kernel_lease=400ms") == "kernel_lease: 400ms"


@pytest.mark.parametrize("text", ["profile", "=vm", "profile=", "a=b\nc: d", "Profile: vm"])
def test_setting_that_is_none_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    assert "KEY=VALUE" in refused(capsys, tmp_path, "answer", "--set", text)


@pytest.mark.parametrize("text", ["0s", "999ms", "2h", "3601s", "x"])
def test_time_that_no_act_can_last_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    assert "no time from 1s to 3600s" in refused(capsys, tmp_path, "loss", "--for", text)


def test_options_that_would_do_nothing_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "end of its own" in refused(capsys, tmp_path, "power-off", "--for", "9s")
    words = ("answer", "--manager", "keepalived", "--set", "profile=vm")
    assert "keepalived has no cluster.yaml" in refused(capsys, tmp_path, *words)
