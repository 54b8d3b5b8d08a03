"""A cluster that stands for hours, judged in pieces: its traces, its ledger and what the recorder saw."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.cluster import settings
from vipkeeper.core.actions import Cause, State, Transition
from vipkeeper.core.events import Tick
from vipkeeper.core.facts import Configured
from vipkeeper.core.trace import Header, line
from vipkeeper.core.types import MILLISECOND
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.measure import Attempts, Change
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.topology import lan
from vipkeeper.lab.traces import TRACE
from vipkeeper.lab.watch import Watch

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
        recorder = SimpleNamespace(
            changes=lambda: self.changes,
            answerers=list,
            udp=Attempts(2, 20),
            served=[(1, "cp1")],
            worst_lateness_us=0,
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


def test_a_vip_left_behind_is_found_across_pieces(lab: Lab) -> None:
    lab.run(0, 1_000)
    found = [*lab.run(1_000, 3_000, "cp1"), *lab.run(3_000, 20_000, "cp1")]
    assert any(one.startswith("S3 cp1 has the VIP with its daemon stalled") for one in found)
