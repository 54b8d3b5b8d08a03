"""What an act broke is mended, whatever else cannot be."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.managers import Manual, Ucarp
from vipkeeper.lab.processes import LabError
from vipkeeper.lab.stage import Stage
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
