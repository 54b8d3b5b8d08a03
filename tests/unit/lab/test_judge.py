"""The traces of a cluster, judged as they grow."""

from __future__ import annotations

from pathlib import Path

import pytest

from vipkeeper import __version__
from vipkeeper.core import trace
from vipkeeper.core.actions import Cause, State, Transition
from vipkeeper.core.events import Tick
from vipkeeper.core.types import MILLISECOND
from vipkeeper.lab import judge
from vipkeeper.lab.judge import Judge, TraceFile
from vipkeeper.lab.managers import Vipkeeper
from vipkeeper.lab.measure import Change
from vipkeeper.lab.topology import lan

SETTINGS = Vipkeeper(100).core_settings(lan(3))
NAMES = ("cp1", "cp2", "cp3")


def ms(value: int) -> int:
    return value * MILLISECOND


class Lab:
    """Three daemons that write a tick each 100 ms, until one is told to be silent."""

    def __init__(self, directory: Path) -> None:
        self.paths = {name: directory / f"{name}.ndjson" for name in NAMES}
        self.judge = Judge(SETTINGS, {name: TraceFile(path) for name, path in self.paths.items()})
        self.silent: set[str] = set()
        self.changes: list[Change] = []
        for name in NAMES:
            self.write(name, 0, trace.Header(name, __version__))
        self.write(
            "cp1", 0, Tick(), Transition(State.CLAIM, State.HOLDER, Cause.FIRST_CLAIM, 1, None)
        )
        self.vip("cp1", 0, held=True)

    def write(self, name: str, at: int, *items: object) -> None:
        with self.paths[name].open("a") as file:
            file.writelines(trace.line(ms(at), item) + "\n" for item in items)

    def vip(self, name: str, at: int, *, held: bool) -> None:
        self.changes.append(Change(ms(at), name, held))

    def run(self, begin: int, end: int) -> list[str]:
        for at in range(begin, end, 100):
            for name in set(NAMES) - self.silent:
                self.write(name, at, Tick())
        found = self.judge.look(self.changes, [], ms(end))
        self.changes = []
        return [f"{one.invariant} {one.text}" for one in found]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_a_holder_alone_keeps_every_promise(lab: Lab) -> None:
    assert lab.run(100, 60_000) == []
    assert all(file.unread == 0 for file in lab.judge.files.values())


def test_two_kernels_with_the_vip_and_whole_wires_are_found_once(lab: Lab) -> None:
    lab.vip("cp2", 5_000, held=True)
    found = lab.run(100, 20_000)
    assert [one for one in found if one.startswith("S1 cp1 and cp2 both answer")]
    assert [one for one in found if one.startswith("S4 cp2 answers for the VIP")]
    assert lab.run(20_000, 30_000) == []


def test_what_is_broken_excuses_two_holders_and_nothing_else(lab: Lab) -> None:
    lab.judge.look([], [(ms(50), True)], ms(60))
    lab.vip("cp2", 5_000, held=True)
    assert {one[:2] for one in lab.run(100, 20_000)} == {"S4"}


def test_a_vip_left_behind_by_a_daemon_that_writes_no_more_is_found(lab: Lab) -> None:
    lab.silent.add("cp1")
    found = lab.run(100, 3_000)
    found += lab.run(3_000, 20_000)
    assert [one for one in found if one.startswith("S3 cp1 has the VIP with its daemon stalled")]


def test_a_lease_that_ends_is_no_vip_left_behind(lab: Lab) -> None:
    lab.silent.add("cp1")
    lab.vip("cp1", 3_000, held=False)
    assert lab.run(100, 20_000) == []


def test_a_transition_that_the_protocol_does_not_have_is_found_in_the_trace(lab: Lab) -> None:
    lab.write("cp3", 200, Tick(), Transition(State.STANDBY, State.HOLDER, Cause.STARTED, 1, None))
    assert [one for one in lab.run(300, 1_000) if one.startswith("A1 cp3: standby to holder")]


def test_what_was_judged_is_given_back_and_the_last_of_it_can_be_read(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "KEPT", 1 << 16)
    assert lab.run(100, 1_000_000) == []
    assert lab.run(1_000_000, 1_001_000) == []
    path = lab.paths["cp1"]
    assert path.stat().st_blocks * 512 < path.stat().st_size // 2
    lines = lab.judge.files["cp1"].tail().splitlines()
    assert len(lines) > 100
    assert all(isinstance(trace.parse(line), trace.TraceRecord) for line in lines)
