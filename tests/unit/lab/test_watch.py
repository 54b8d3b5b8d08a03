"""A cluster that stands for hours, judged in pieces: its traces, its ledger and what the recorder saw."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.cluster import settings
from vipkeeper.core.actions import Cause, State, Transition
from vipkeeper.core.events import Tick
from vipkeeper.core.facts import ApiChanged, ApiState, Configured
from vipkeeper.core.trace import Header, line
from vipkeeper.core.types import MILLISECOND
from vipkeeper.lab import watch
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.measure import Attempts, Change
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.topology import lan
from vipkeeper.lab.traces import TRACE
from vipkeeper.lab.watch import WHOLE, Watch
from vipkeeper.report.trace import load_trace

NAMES = ("cp1", "cp2", "cp3")


class Lab:
    """cp1 holds; three daemons write a tick each 100 ms; times are milliseconds of the watch."""

    def __init__(self, directory: Path) -> None:
        self.cluster = Cluster(lan(3), directory)
        for own, (name, state) in enumerate(
            zip(NAMES, ("HOLDER", "BACKUP", "BACKUP"), strict=True)
        ):
            one = self.cluster.servers[name]
            one.directory.mkdir(parents=True)
            one.powered = True
            one.daemon = cast(Any, SimpleNamespace(running=True))
            moved = Transition(State.LISTEN, State[state], Cause.STARTED, 1)
            self.write(name, 1, Header(name, "0.1.0"), Configured(name, settings(own)), moved)
        self.changes = [Change(1, "cp1", True)]
        self.late = 0
        """Nanoseconds by which a probe is late, whatever it is asked about."""
        recorder = SimpleNamespace(
            changes=lambda: self.changes,
            answerers=list,
            udp=Attempts(2, 20),
            served=[(1, "cp1")],
            late=lambda _: self.late,
            pump=lambda: None,
            network=self.cluster.network,
        )
        stage = SimpleNamespace(cluster=self.cluster, recorder=recorder)
        self.watch = Watch(cast(Stage, stage))

    def write(self, name: str, at: int, *items: object) -> None:
        with (self.cluster.servers[name].directory / TRACE).open("a") as file:
            file.writelines(f"{line(at, item)}\n" for item in items)

    def at(self, ms: int) -> int:
        return self.watch.start + ms * MILLISECOND

    def run(self, begin: int, end: int, silent: str = "") -> list[str]:
        for ms in range(begin, end, 100):
            for name in set(NAMES) - {silent}:
                self.write(name, self.at(ms), Tick())
        return [f"{one.invariant} {one.text}" for one in self.watch.look(self.at(end))]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_a_holder_alone_keeps_every_promise_piece_after_piece(lab: Lab) -> None:
    assert [*lab.run(0, 5_000), *lab.run(5_000, 60_000)] == []


def test_two_kernels_with_the_vip_are_found_once(lab: Lab) -> None:
    assert lab.run(0, 5_000) == []
    lab.changes.append(Change(lab.at(5_100), "cp2", True))
    found = lab.run(5_000, 10_000)
    assert {one[:2] for one in found} >= {"S1", "S4"}
    assert not {one[:2] for one in lab.run(10_000, 15_000)} & {"S1", "S4"}


def two_kernels(lab: Lab, seconds: float) -> set[str]:
    """S1 and S2, and what else is found when two kernels have the VIP from 5.1 s on for so long."""
    lab.run(0, 5_000)
    end = 5_100 + round(seconds * 1000)
    lab.changes += [Change(lab.at(5_100), "cp2", True), Change(lab.at(end), "cp2", False)]
    return {one[:2] for one in lab.run(5_000, end + 1_000)}


def test_a_lab_that_was_late_is_given_twice_that(lab: Lab) -> None:
    lab.late = 400 * MILLISECOND
    assert "S1" not in two_kernels(lab, 4.2)


def test_a_lab_that_was_late_before_is_given_nothing_for_it(lab: Lab) -> None:
    lab.late = 400 * MILLISECOND
    lab.run(0, 1_000)
    lab.late = 0
    lab.run(1_000, 5_000)
    assert "S1" in two_kernels(lab, 3.7)


def test_a_daemon_that_ended_by_itself_is_found(lab: Lab) -> None:
    lab.run(0, 1_000)
    lab.cluster.ledger.ended("cp3", "KeyError: 7", lab.at(1_500))
    assert lab.run(1_000, 2_000) == ["A1 cp3: the daemon ended by itself: KeyError: 7"]


def test_an_api_server_that_was_made_unready_is_ready_when_the_next_act_begins(lab: Lab) -> None:
    lab.run(0, 1_000)
    lab.cluster.ledger.tell(ApiChanged("cp1", ApiState.UNREADY))
    lab.cluster.ledger.begin()
    assert lab.run(1_000, 60_000) == []


@pytest.mark.parametrize("readable", [4 << 20, 1])
def test_the_last_of_what_was_judged_is_kept_with_all_that_was_so_before(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, readable: int
) -> None:
    monkeypatch.setattr(watch, "READABLE", readable)
    for second in range(5):
        lab.run(1000 * second, 1000 * second + 1000)
    found = [one.partition(" ")[0] for one in [*lab.run(5_000, 8_000, "cp1"), *lab.run(8_000, 20_000, "cp1")]]  # fmt: skip
    assert "S3" in found
    (note,) = (n for n in load_trace(lab.watch.traces()[WHOLE]).notes if n.startswith("promises"))
    assert "broken: S3 at" in note


def test_a_vip_left_behind_is_found_across_pieces(lab: Lab) -> None:
    lab.run(0, 1_000)
    found = [*lab.run(1_000, 3_000, "cp1"), *lab.run(3_000, 20_000, "cp1")]
    assert any(one.startswith("S3 cp1 has the VIP with its daemon stalled") for one in found)
