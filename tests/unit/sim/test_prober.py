"""The simulated prober looks when the real one (`daemon.prober.checks.watch`) would."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from vipkeeper.core.events import HealthSampled, Outcome
from vipkeeper.core.facts import FaultKind
from vipkeeper.core.types import MILLISECOND, SECOND, Instant
from vipkeeper.daemon.prober import checks
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


def test_its_pauses_are_those_of_the_real_one() -> None:
    assert round(checks.AGAIN_AFTER * SECOND) == prober.AGAIN_AFTER
    assert prober.INTERVAL // checks.QUICKENED == prober.QUICK == 250 * MILLISECOND
