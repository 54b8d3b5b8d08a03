"""What a soak takes for broken, what for the host's fault, and what it could not play."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.cluster import settings
from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.lab.act import Act
from vipkeeper.lab.between import Course
from vipkeeper.lab.catalogue import SCENARIOS
from vipkeeper.lab.drill import Drill, Plan, Progress, _unplayed
from vipkeeper.lab.managers import Vipkeeper
from vipkeeper.lab.measure import Window
from vipkeeper.lab.processes import LabError
from vipkeeper.lab.soak import (
    QUIET_ACT,
    Soaking,
    explained_within,
    new_record,
)
from vipkeeper.report.run import ActResult, Verdict
from vipkeeper.report.soak import Soak, SoakSkip

WITHIN = explained_within(settings(0))
STALL = Window(100 * SECOND, 103 * SECOND)


def at(seconds: float) -> list[int]:
    return [round(seconds * SECOND)]


def course(*stalls: Window) -> Course:
    return Course(broken=False, excuses=stalls, within=WITHIN)


def test_a_move_counts_against_the_cluster_unless_the_host_had_just_stood_still() -> None:
    assert course().unexplained(at(103.1)) == at(103.1)
    assert course(STALL).unexplained([]) == []
    assert course(STALL).unexplained([*at(103.1), *at(101.5), STALL.end + WITHIN]) == []


def test_a_stall_excuses_no_move_that_came_before_it_or_long_after() -> None:
    assert course(STALL).unexplained(at(99.9)) == at(99.9)
    assert course(STALL).unexplained([STALL.end + WITHIN + 1])
    assert course(STALL).unexplained([*at(103.1), *at(120)]) == at(120)
    later = Window(119 * SECOND, 120 * SECOND)
    assert course(STALL, later).unexplained([*at(103.1), *at(120.1)]) == []


def test_the_timers_of_the_cluster_say_how_long_a_stall_explains() -> None:
    patient = replace(settings(0), kernel_lease=6 * SECOND, advert_interval=200 * MILLISECOND)
    assert WITHIN == 5 * SECOND
    assert explained_within(patient) == 9 * SECOND


class Lacking:
    """A drill on a host that lacks what every fault needs."""

    manager = Vipkeeper(100)
    stage: Any = SimpleNamespace(broken=[])

    def rest(self, _: Act) -> str:
        return ""

    def perform(self, act: Act, run: int, _: int) -> ActResult:
        verdict = Verdict.PASSED if act.name == QUIET_ACT.name else Verdict.SKIPPED
        return _unplayed(act, run, "there is no control group", verdict)


def test_a_fault_that_this_host_cannot_play_is_in_the_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved: list[Soak] = []
    told: list[ActResult] = []
    for name in ("_enter", "_between", "_ended", "_part"):
        monkeypatch.setattr(Soaking, name, lambda *_: None)
    monkeypatch.setattr(Soaking, "_judged", lambda _, __, result: (result, None))
    record = new_record(7, 1.0, False, "2026-11-27T10:00:00Z", "1")
    drill: Any = Lacking()
    soaking = Soaking(
        drill, SCENARIOS[:1], record, saved.append, lambda _, result: told.append(result)
    )
    act = SCENARIOS[0]
    for _ in range(2):
        soaking._play(QUIET_ACT, 1.0, None)
        soaking._play(act, 1.0, 12)
    skip = SoakSkip(0.0, act.name, "there is no control group")
    assert saved[-1].skipped == (skip, skip)
    assert saved[-1].faults == ()
    assert saved[-1].lacking == {(act.name, "there is no control group"): 2}
    assert [result.name for result in told] == [act.name, act.name]


def test_a_lab_that_fails_while_a_cluster_heals_is_no_broken_promise() -> None:
    drill = Drill(Plan((QUIET_ACT,)), Path(), Progress())
    drill.watched = True

    def fails() -> str:
        raise LabError("'ip link' takes longer than 30 s")

    stage: Any = SimpleNamespace(heal=fails)
    drill._stage = lambda *_: stage  # type: ignore[method-assign]
    for look in (lambda: drill.rest(QUIET_ACT), lambda: drill.perform(QUIET_ACT, 1, 0)):
        with pytest.raises(LabError, match="ip link"):
            look()
