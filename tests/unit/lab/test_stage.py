"""What an act broke is mended, whatever else cannot be."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from vipkeeper.lab import cluster
from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.managers import Manual, Ucarp
from vipkeeper.lab.processes import LabError
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.standin_control import NotListeningError
from vipkeeper.lab.topology import lan


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    recorder = cast(Any, SimpleNamespace())
    return Stage(Cluster(lan(3), tmp_path), recorder, Manual(100), random.Random(0))


@pytest.mark.parametrize(
    ("holding", "longest"), [({"cp1"}, 1.0), ({"cp2"}, 1.39), ({"cp3"}, 1.781), (set(), 1.0)]
)
def test_a_fault_comes_at_any_phase_of_the_period_of_who_holds(
    tmp_path: Path, holding: set[str], longest: float
) -> None:
    waited: list[float] = []
    recorder = cast(Any, SimpleNamespace(holding=holding, watch=waited.append))
    last = cast(Any, SimpleNamespace(uniform=lambda _, most: most))
    Stage(Cluster(lan(3), tmp_path), recorder, Ucarp(100), last).random_phase()
    assert waited == [pytest.approx(0.2 + longest)]


def test_from_when_on_an_api_server_is_ready_is_known_by_what_it_was_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1, 10))
    monkeypatch.setattr(cluster, "tell", lambda *_: None)
    monkeypatch.setattr(cluster, "now", lambda: next(clock))
    server = stage.cluster.servers["cp1"]
    monkeypatch.setattr(server, "run", lambda *_: None)
    known: list[int | None] = []
    for order in ("ready", "ready", "etcd false", "unready", "etcd true", "ready", "slow 2"):
        server.order(order)
        known.append(server.ready_since)
    assert known == [1, 1, 1, None, None, 2, None]
    server.order_once_up("ready")
    assert server.ready_since == 3
    stage.cluster.start_standin(server)
    assert server.ready_since is None


def test_a_stand_in_is_ready_only_once_it_listens(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([NotListeningError("too early"), NotListeningError("too early"), None])

    def told(*_: object) -> None:
        if (error := next(answers)) is not None:
            assert server.ready_since is None
            raise error

    monkeypatch.setattr(cluster, "tell", told)
    server = stage.cluster.servers["cp1"]
    server.order_once_up("ready")
    assert server.ready_since is not None


def test_every_stand_in_of_a_healed_cluster_was_told_to_be_ready(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was there, one that had ended, and one on a server that had no power."""
    there, ended, off = stage.cluster.servers.values()
    for server in (there, ended):
        server.powered = True
    for server in (there, ended, off):
        server.daemon = cast(Any, SimpleNamespace(running=True, signal_tree=lambda _: None))
    there.standin = cast(Any, SimpleNamespace(running=True))
    started: list[Server] = []
    monkeypatch.setattr(stage.cluster, "undo", lambda: None)
    monkeypatch.setattr(stage.cluster, "start_standin", started.append)
    monkeypatch.setattr(stage.cluster, "power_on", started.append)
    monkeypatch.setattr(stage.manager, "start", lambda _: None)
    monkeypatch.setattr(cluster, "tell", lambda *_: None)
    stage.recorder = cast(Any, SimpleNamespace(wait=lambda *_: True))
    assert stage.heal() == ""
    assert started == [ended, off]
    assert None not in [server.ready_since for server in (there, ended, off)]


def failing(error: Exception) -> Callable[[], None]:
    def mend() -> None:
        raise error

    return mend


@pytest.mark.parametrize("how", ["mend", "undo"])
@pytest.mark.parametrize(
    "error", [LabError("'sleep' has not ended"), PermissionError(13, "Permission denied")]
)
def test_one_mend_that_fails_keeps_no_other_from_running(
    stage: Stage, how: str, error: Exception
) -> None:
    done: list[str] = []
    stage.on_undo(lambda: done.append("first"))
    stage.on_undo(failing(error))
    stage.on_undo(lambda: done.append("last"))
    with pytest.raises(LabError, match=r"has not ended|cannot be mended: .*Permission denied"):
        getattr(stage, how)()
    assert done == ["last", "first"]
    getattr(stage, how)()
    assert done == ["last", "first"]


def test_the_wires_are_mended_also_where_something_else_cannot_be(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    mended: list[bool] = []
    monkeypatch.setattr(stage.cluster, "undo", lambda: mended.append(True))
    stage.on_undo(failing(LabError("survives")))
    with pytest.raises(LabError, match="survives"):
        stage.undo()
    assert mended == [True]
