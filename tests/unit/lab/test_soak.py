"""What a soak takes for broken, what for the host's fault, and what it could not play."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from support.cluster import settings
from vipkeeper.core.facts import Configured
from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.lab import lateness
from vipkeeper.lab.act import Act
from vipkeeper.lab.catalogue import SCENARIOS
from vipkeeper.lab.drill import _unplayed
from vipkeeper.lab.managers import Vipkeeper
from vipkeeper.lab.measure import Window
from vipkeeper.lab.soak import (
    QUIET_ACT,
    Soaking,
    explained_within,
    moved_for_nothing,
    new_record,
)
from vipkeeper.report.run import ActResult, Verdict
from vipkeeper.report.soak import Soak, SoakSkip

WITHIN = explained_within(settings(0))
STALL = Window(100 * SECOND, 103 * SECOND)


def at(seconds: float) -> list[int]:
    return [round(seconds * SECOND)]


def test_a_move_counts_against_the_cluster_unless_the_host_had_just_stood_still() -> None:
    assert moved_for_nothing(at(103.1), [], WITHIN)
    assert not moved_for_nothing([], [], WITHIN)
    assert not moved_for_nothing(at(103.1), [STALL], WITHIN)
    assert not moved_for_nothing(at(101.5), [STALL], WITHIN)
    assert not moved_for_nothing([STALL.end + WITHIN], [STALL], WITHIN)


def test_a_stall_excuses_no_move_that_came_before_it_or_long_after() -> None:
    assert moved_for_nothing(at(99.9), [STALL], WITHIN)
    assert moved_for_nothing([STALL.end + WITHIN + 1], [STALL], WITHIN)
    assert moved_for_nothing([*at(103.1), *at(120)], [STALL], WITHIN)
    later = Window(119 * SECOND, 120 * SECOND)
    assert not moved_for_nothing([*at(103.1), *at(120.1)], [STALL, later], WITHIN)


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
    monkeypatch.setattr(Soaking, "_judged", lambda _, result: result)
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


@pytest.mark.parametrize(("moves", "verdict"), [(1, Verdict.SKIPPED), (0, Verdict.FAILED)])
@pytest.mark.parametrize(
    ("stalls", "starved_ms", "what"),
    [
        ({STALL}, 0.0, "the host stood still for 3000 ms"),
        (set(), 2136.0, "an API server's stand-in waited for a processor for 2136 ms"),
    ],
)
def test_a_stall_or_an_api_server_without_a_processor_explains_a_move_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
    stalls: set[Window],
    starved_ms: float,
    what: str,
    moves: int,
    verdict: Verdict,
) -> None:
    monkeypatch.setattr(Soaking, "_late", lambda *_: 0)
    waited = {Window(100 * SECOND, 100 * SECOND + round(starved_ms * 1e6))} if starved_ms else set()
    monkeypatch.setattr(lateness, "starved", lambda *_: waited)
    drill: Any = Lacking()
    ledger = SimpleNamespace(configured={"cp1": Configured("cp1", settings(0))})
    drill.stage = SimpleNamespace(
        cluster=SimpleNamespace(ledger=ledger), recorder=SimpleNamespace(stalls=lambda _: stalls)
    )
    record = new_record(7, 1.0, True, "2026-11-27T10:00:00Z", "1")
    soaking = Soaking(drill, SCENARIOS[:1], record, lambda _: None, lambda *_: None)
    soaking._from = 104 * SECOND
    found = _unplayed(QUIET_ACT, 1, "it moved", Verdict.FAILED)
    judged = soaking._judged(replace(found, moves=moves))
    assert judged.verdict is verdict
    assert (what in judged.reason) is (verdict is Verdict.SKIPPED)
    soaking._excuse(round(102.2 * SECOND) + WITHIN)
    assert soaking._starved == set()
