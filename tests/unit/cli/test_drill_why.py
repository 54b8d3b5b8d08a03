"""What `drill --why` hands over when it cannot play on: the table of all it has played."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vipkeeper.cli import main
from vipkeeper.errors import ExitCode, HostError
from vipkeeper.lab import box
from vipkeeper.lab.processes import LabError
from vipkeeper.lab.troubles import breaks, play
from vipkeeper.lab.troubles.faults import Fault
from vipkeeper.lab.troubles.site import Site

FAULTS = ("quorum-lost", "disk-full", "election")
ANSWER = {"verdict": "root-cause", "hidden": [], "consequences": []}


class Lab:
    """Sites of which one, by the name of its fault, does something else."""

    def __init__(self) -> None:
        self.at: dict[str, Callable[[], object]] = {}
        self.removed: list[str] = []
        self.remove: Callable[[], object] = lambda: None

    def site(self, fault: Fault, directory: Path) -> Any:
        def build() -> None:
            self.at.get(fault.name, lambda: None)()
            directory.mkdir(parents=True)

        def remove() -> None:
            self.removed.append(fault.name)
            self.remove()

        return SimpleNamespace(fault=fault, directory=directory, build=build, remove=remove)

    def look(self, site: Any, number: int) -> list[Path]:
        paths = [site.directory / f"{place}-{number}.tar.gz" for place in ("cp1", "client")]
        for path in paths:
            path.touch()
        return paths


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lab:
    lab = Lab()

    def in_box(work: Callable[[Path], bytes], take: Callable[[bytes], None]) -> int:
        take(work(tmp_path / "box"))
        return 0

    def ask(site: Any, _: object) -> dict[str, Any]:
        return ANSWER | {"roots": [{"code": site.fault.expected[0], "standing": "confirmed"}]}

    monkeypatch.setattr(box, "in_box", in_box)
    monkeypatch.setattr(play, "Site", lab.site)
    monkeypatch.setattr(play, "_look", lab.look)
    monkeypatch.setattr(play, "_ask", ask)
    monkeypatch.setattr(play, "BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr(breaks, "apply", lambda _: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return lab


def drilled(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, str], str]:
    """Exit code, outcomes by fault, and what else was said."""
    code = main.main(["drill", "--why", *FAULTS, "--output", "json", *words])
    said = capsys.readouterr()
    rows = json.loads(said.out)["results"] if said.out else []
    return code, {row["name"]: row["outcome"] for row in rows}, said.err


def raising(error: BaseException) -> Callable[[], object]:
    def fails() -> None:
        raise error

    return fails


def test_all_right(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert drilled(capsys)[:2] == (ExitCode.OK, dict.fromkeys(FAULTS, "right"))
    assert lab.removed == list(FAULTS)


@pytest.mark.parametrize("error", [LabError("no"), OSError(28, "No space left on device")])
def test_a_site_that_cannot_be_built_costs_its_own_fault_alone(
    error: Exception, lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.at["disk-full"] = raising(error)
    outcomes = dict.fromkeys(FAULTS, "right") | {"disk-full": "not played"}
    assert drilled(capsys)[:2] == (ExitCode.FINDINGS, outcomes)
    assert lab.removed == list(FAULTS)


@pytest.mark.parametrize("answer", [{"verdict": "healthy"}, [], {**ANSWER, "roots": ["VK801"]}])
def test_an_answer_that_is_none_costs_its_own_fault_alone(
    answer: object,
    lab: Lab,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask = play._ask
    monkeypatch.setattr(
        play, "_ask", lambda site, _: answer if site.fault.name == "disk-full" else ask(site, ())
    )
    code, outcomes, said = drilled(capsys)
    expected = dict.fromkeys(FAULTS, "right") | {"disk-full": "not played"}
    assert (code, outcomes) == (ExitCode.FINDINGS, expected)
    assert said.count("lacks what every one has") == 1


def test_where_no_fault_can_be_played_nothing_was_found(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.at |= dict.fromkeys(FAULTS, raising(OSError(28, "No space left on device")))
    code, outcomes, said = drilled(capsys)
    assert (code, outcomes) == (ExitCode.USAGE, dict.fromkeys(FAULTS, "not played"))
    assert said.endswith("no fault could be played: [Errno 28] No space left on device\n")


@pytest.mark.parametrize("program", ["etcd", "openssl"])
def test_a_program_that_all_faults_need_ends_it_before_the_first_one(
    lab: Lab,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    program: str,
) -> None:
    monkeypatch.setattr(play, "Site", Site)
    monkeypatch.setattr(shutil, "which", lambda name, **_: None if name == program else name)
    code, outcomes, said = drilled(capsys)
    assert (code, outcomes) == (ExitCode.USAGE, {})
    assert said.startswith(f"vipkeeper: '{program}' is not installed (apt-get install ")
    assert said.count("\n") == 1


def test_interrupted_hands_over_what_was_played(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.at["disk-full"] = raising(KeyboardInterrupt())
    code, outcomes, said = drilled(capsys)
    assert (code, outcomes) == (130, {"quorum-lost": "right"})
    assert said.endswith("drill --why: interrupted after 1 of 3 faults\n")
    assert lab.removed == ["quorum-lost", "disk-full"]


def test_interrupted_in_the_first_fault_leaves_the_last_table_alone(
    lab: Lab, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lab.at["quorum-lost"] = raising(KeyboardInterrupt())
    (tmp_path / "table.json").write_text("the last one")
    assert main.main(["drill", "--why", *FAULTS, "--output", f"json={tmp_path}/table.json"]) == 130
    assert (tmp_path / "table.json").read_text() == "the last one"


def test_bundles_that_cannot_be_kept_end_it_with_what_was_played(
    lab: Lab,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def full(_played: object, folder: Path) -> None:
        if folder.name == "disk-full":
            raise HostError("--bundles: cannot write: No space left on device")

    monkeypatch.setattr(play, "_keep", full)
    code, outcomes, said = drilled(capsys, "--bundles", str(tmp_path / "kept"))
    assert (code, outcomes) == (ExitCode.USAGE, dict.fromkeys(FAULTS[:2], "right"))
    assert "ended after 2 of 3 faults: --bundles: cannot write: No space left on device" in said
    assert lab.removed == ["quorum-lost", "disk-full"]


def test_a_cluster_that_does_not_go_away_ends_it_with_what_was_played(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.remove = raising(LabError("processes [7] in cp1 survive SIGKILL"))
    code, outcomes, said = drilled(capsys)
    assert (code, outcomes) == (ExitCode.USAGE, {"quorum-lost": "right"})
    assert "ended after 1 of 3 faults: processes [7] in cp1 survive SIGKILL" in said


def test_a_place_that_left_no_bundle_is_told_of(
    lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(site: Any, number: int) -> list[Path]:
        paths = lab.look(site, number)
        if number == 2:
            paths[0].unlink()
        return paths

    monkeypatch.setattr(play, "_look", look)
    assert main.main(["drill", "--why", "quorum-lost"]) == ExitCode.OK
    assert "VK801 confirmed; no bundle of cp1-2" in capsys.readouterr().out
