"""What `drill` takes and refuses, without playing anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.other_user import nobody
from unit.report.sample import TAKEOVER, run_report
from vipkeeper.cli import drill, drill_progress, main
from vipkeeper.cli.drill_acts import chosen
from vipkeeper.errors import ExitCode, UsageError
from vipkeeper.lab import box
from vipkeeper.lab.acts import STORY
from vipkeeper.lab.catalogue import SCENARIOS, Suite, suite
from vipkeeper.lab.managers import Vipkeeper
from vipkeeper.lab.topology import lan
from vipkeeper.lab.troubles.faults import FAULTS
from vipkeeper.report.json import dump_run
from vipkeeper.report.run import RunReport, Verdict


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> str:
    """What is said about a command line that is refused."""
    report = ["--report", str(folder / "report")]
    assert main.main(["drill", *words, *report]) == ExitCode.USAGE
    return capsys.readouterr().err


def test_whole_story_leaves_out_what_is_played_by_name() -> None:
    assert chosen([], None) == STORY
    assert len(STORY) < len(SCENARIOS)
    assert [act.name for act in chosen(["split", "loss"], None)] == ["split", "loss"]
    with pytest.raises(UsageError, match="did you mean 'split'"):
        chosen(["splitt"], None)


def test_name_of_a_pair_does_not_touch_what_is_said_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = "vip-taken+keepalived-beside"
    drill_progress.ended(replace(TAKEOVER, name=name, verdict=Verdict.PASSED))
    assert f"passed  {name} client" in capsys.readouterr().err


def test_list_shows_every_act_once_the_story_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["drill", "list"]) == ExitCode.OK
    acts, _, footer = capsys.readouterr().out.partition("\n--suite ")
    first = [line.split()[0] for line in acts.splitlines() if line.startswith("  ")]
    assert first[: len(STORY)] == [act.name for act in STORY]
    assert sorted(first) == sorted(act.name for act in SCENARIOS)
    assert f"all {len(SCENARIOS)}" in footer


def test_suite_and_names_together_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "a suite is played whole" in refused(capsys, tmp_path, "loss", "--suite", "smoke")


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((Verdict.PASSED, Verdict.SKIPPED), ExitCode.OK),
        ((Verdict.SKIPPED, Verdict.FAILED), ExitCode.FINDINGS),
        ((Verdict.SKIPPED, Verdict.SKIPPED), ExitCode.USAGE),
    ],
)
def test_what_was_only_skipped_has_not_passed(
    verdicts: tuple[Verdict, ...], code: ExitCode
) -> None:
    assert drill.exit_code(verdicts) is code


def test_variant_a_manager_does_not_have_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = refused(capsys, tmp_path, "answer", "--manager", "ucarp", "--variant", "hasty")
    assert "ucarp has no variant 'hasty'; it has best, default" in said


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "foo=bar"), "drill: unknown key 'foo'"),
        (("--set", "interface=a/b"), "drill: 'interface' must be the name of an interface"),
        (("--interval", "1s", "--set", "kernel_lease=3s"), "at least 4 times advert_interval"),
        (("--interval", "6s"), "no time from 10ms to 5s"),
    ],
)
def test_what_the_daemons_would_refuse_is_refused_before_they_start(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    message = refused(capsys, tmp_path, "answer", *words)
    assert said in message
    assert "drill: add" not in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("interval", "lease"), [(751, "4s"), (1000, "4s"), (5000, "20s")])
def test_interval_that_needs_a_longer_lease_says_which(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, interval: int, lease: str
) -> None:
    message = refused(capsys, tmp_path, "answer", "--interval", f"{interval}ms")
    assert f"drill: add --set kernel_lease={lease}\n" in message
    settings = (f"kernel_lease: {lease}",)
    assert Vipkeeper(interval, settings).mistakes(lan(3)) == []


def test_report_that_cannot_be_written_names_the_option(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    assert main.main(["drill", "answer", "--report", str(taken)]) == ExitCode.USAGE
    assert "--report DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [("answer", "--report"), ("--why", "quorum-lost", "--bundles")], ids=lambda w: w[-1]
)
def test_folder_that_may_not_be_looked_into_is_refused_in_one_line(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with nobody():
        assert main.main(["drill", *words, str(closed / "x")]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{words[-1]}: cannot make {closed}/x: Permission denied" in said


@pytest.mark.parametrize("words", [("answer",), ("--why", "quorum-lost")])
def test_output_file_that_cannot_be_written_is_refused_before_anything_is_played(
    words: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def played(*_: object, **__: object) -> int:
        raise AssertionError("a box was made")

    for module in (drill, box):
        monkeypatch.setattr(module, "in_box", played)
    monkeypatch.chdir(tmp_path)
    asked = ("--output", f"json={tmp_path}/nowhere/x.json")
    assert main.main(["drill", *words, *asked]) == ExitCode.USAGE
    assert f"there is no folder {tmp_path}/nowhere" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def interrupted(monkeypatch: pytest.MonkeyPatch, folder: Path, report: RunReport) -> int:
    """The exit code of `drill answer` of which the box gives this when Ctrl-C ends it."""
    parcel = {"interrupted": True, "report": dump_run(report), "logs": {}}

    def box_of(_work: object, take: Callable[[bytes], None], *_: object) -> int:
        take(json.dumps(parcel).encode())
        return 0

    monkeypatch.setattr(drill, "in_box", box_of)
    asked = ("--output", f"json={folder}/own.json", "--report", str(folder))
    return main.main(["drill", "answer", *asked])


def test_interrupted_before_the_first_act_leaves_the_last_report_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = replace(run_report(TAKEOVER), notes=("interrupted after 1 of 2 acts",))
    assert interrupted(monkeypatch, tmp_path, said) == 130
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert {"own.json", "run.json"} < {path.name for path in before}
    said = replace(run_report(), notes=("interrupted after 0 of 2 acts",))
    assert interrupted(monkeypatch, tmp_path, said) == 130
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert capsys.readouterr().err.splitlines()[-1] == "drill: interrupted after 0 of 2 acts"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--variant", "bset"), "unknown variant 'bset', expected one of default, "),
        (("--variant", "bset"), "did you mean 'best'?"),
        (("--set", "advert_interval=50ms"), "for advert_interval there is --interval 50ms"),
        (("--set", "vip=10.0.0.1"), "the drill itself sets vip"),
        (("--bundles", "there"), "--bundles belongs to 'drill --why'"),
        (("--for", "5"), "'5' has no unit; write 5s (see"),
        (("--for", "2000"), "'2000' has no unit; write 2000ms or 2000s (see"),
        (("--for", "99999999"), "'99999999' is no time from 1s to 3600s"),
        (("--interval", "20"), "'20' has no unit; write 20ms (see"),
        (("--interval", "1"), "'1' has no unit; write 1s (see"),
    ],
)
def test_word_that_cannot_be_meant_says_what_could_be(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    message = refused(capsys, tmp_path, "answer", *words)
    assert said in message
    assert message.count("\n") == 1


def test_only_a_name_that_is_near_is_suggested() -> None:
    with pytest.raises(UsageError, match="unknown act 'list'; see 'vipkeeper drill list'"):
        chosen(["list+loss"], None)
    for word in ("pwoer-off", "POWER-OFF", "power"):
        with pytest.raises(UsageError, match="did you mean 'power-off'"):
            chosen([word], None)
    for word in ("api", "daemon"):  # several begin so
        with pytest.raises(UsageError, match=f"unknown act '{word}'; see 'vipkeeper drill list'"):
            chosen([word], None)


def test_list_of_a_suite_has_its_acts_and_no_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["drill", "list", "--suite", "smoke"]) == ExitCode.OK
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [act.name for act in suite(Suite.SMOKE)]
    assert len(listed) < len(SCENARIOS)


@pytest.mark.parametrize("words", [("list",), ("--why", "list")])
def test_every_name_in_a_list_stands_two_columns_apart_from_what_it_means(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["drill", *words]) == ExitCode.OK
    rows = [line.strip() for line in capsys.readouterr().out.splitlines()]
    for name in [act.name for act in SCENARIOS] if words == ("list",) else [f.name for f in FAULTS]:
        assert any(row.startswith(f"{name}  ") for row in rows), name
