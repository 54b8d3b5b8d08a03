"""The simulated prober looks when the real one (`daemon.prober.checks.watch`) would."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from vipkeeper.core.events import HealthSampled, Outcome
from vipkeeper.core.facts import FaultKind
from vipkeeper.core.types import MILLISECOND, SECOND, Instant
from vipkeeper.daemon.prober import checks, silence
from vipkeeper.daemon.prober.config import ApiCheck
from vipkeeper.sim import prober
from vipkeeper.sim.faults import SETTLE, Fault, Plan, settings_for
from vipkeeper.sim.run import play

FAILS_AT = SETTLE + 5 * SECOND


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [(FaultKind.API_UNREADY, Outcome.SOFT), (FaultKind.API_REFUSES, Outcome.HARD)],
)
def test_a_first_failure_of_any_kind_is_looked_at_again_soon(
    kind: FaultKind, outcome: Outcome
) -> None:
    seen: list[Instant] = []

    def watch(at: Instant, _: Instant, server: str, event: Any, __: Sequence[Any]) -> None:
        if server == "cp1" and isinstance(event, HealthSampled) and at >= FAILS_AT:
            assert event.outcome is outcome
            seen.append(at)

    fault = Fault(FAILS_AT, kind, 0, duration=10 * SECOND)
    plan = Plan(0, 5, settings_for(3), (fault,), 10 * SECOND, True)
    play(plan, lambda _, __: None, watch, until=FAILS_AT + 3 * SECOND)
    pauses = [later - sooner for sooner, later in pairwise(seen)]
    assert pauses[:3] == [prober.AGAIN_AFTER, prober.QUICK, prober.QUICK]


def found(faults: tuple[Fault, ...]) -> list[tuple[float, Outcome]]:
    """What the prober of cp1 says from the first fault on, in seconds after it."""
    seen: list[tuple[float, Outcome]] = []

    def watch(at: Instant, _: Instant, server: str, event: Any, __: Sequence[Any]) -> None:
        if server == "cp1" and isinstance(event, HealthSampled) and at >= FAILS_AT:
            seen.append(((at - FAILS_AT) / SECOND, event.outcome))

    plan = Plan(0, 5, settings_for(3), faults, 20 * SECOND, True)
    play(plan, lambda _, __: None, watch, until=FAILS_AT + 10 * SECOND)
    return seen


def test_a_frozen_api_server_is_stalled_after_two_seconds_and_answers_when_it_goes_on() -> None:
    fault = Fault(FAILS_AT, FaultKind.API_FROZEN, 0, duration=6 * SECOND)
    said = found((fault,))
    first = said[0][0]
    assert 2 <= first <= 3
    assert [outcome for _, outcome in said[:3]] == [Outcome.STALLED, Outcome.STALLED, Outcome.OK]
    assert said[1][0] - first == pytest.approx(2.06)
    assert said[2][0] == pytest.approx(6.001)


def test_one_that_shakes_hands_is_waited_for_three_seconds() -> None:
    said = found((Fault(FAILS_AT, FaultKind.API_HANGS, 0, duration=8 * SECOND),))
    assert [outcome for _, outcome in said[:2]] == [Outcome.SOFT, Outcome.SOFT]
    assert 3 <= said[0][0] <= 4


def test_one_that_shook_hands_beside_the_question_is_tried_again_every_half_second() -> None:
    hangs = Fault(FAILS_AT, FaultKind.API_HANGS, 0, duration=10 * SECOND)
    asked = found((hangs,))[0][0] - 3

    def freezes(after: float) -> list[tuple[float, Outcome]]:
        at = FAILS_AT + round((asked + after) * SECOND)
        return found((hangs, Fault(at, FaultKind.API_FROZEN, 0, duration=9 * SECOND)))

    for after, known in ((0.4, 2.0), (0.6, 2.5)):
        first, outcome = freezes(after)[0]
        assert outcome is Outcome.STALLED
        assert first == pytest.approx(asked + known)
    late = freezes(1.6)[:2]
    assert [outcome for _, outcome in late] == [Outcome.SOFT, Outcome.STALLED]
    assert late[0][0] == pytest.approx(asked + 3)


def test_it_waits_as_long_as_the_real_one() -> None:
    assert round(silence.DOUBT_AFTER * SECOND) == prober.DOUBT_AFTER
    assert round(silence.STALLED_AFTER * SECOND) == prober.STALLED_AFTER
    assert round(ApiCheck().timeout * SECOND) == prober.TIMEOUT


def test_its_pauses_are_those_of_the_real_one() -> None:
    assert round(checks.AGAIN_AFTER * SECOND) == prober.AGAIN_AFTER
    assert prober.INTERVAL // checks.QUICKENED == prober.QUICK == 250 * MILLISECOND
