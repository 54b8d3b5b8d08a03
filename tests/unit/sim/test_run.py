"""The simulator: equal plans give equal traces, faults do what they say, failures are found and shrunk."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from vipkeeper.core.facts import (
    Fact,
    FaultKind,
    ServedChanged,
    VipChanged,
    WallClockStepped,
)
from vipkeeper.core.types import MILLISECOND, SECOND, Instant
from vipkeeper.sim.faults import DRAWN, FOR_EVER, SETTLE, Fault, Plan, draw, settings_for
from vipkeeper.sim.run import play, run, trace_hash, trace_lines
from vipkeeper.sim.shrink import shrink

SEEDS = (1, 5, 8)
FIRST_IS_CP1 = 5
"""Noise with which cp1 is elected first."""
HASH_PROGRAM = """
from vipkeeper.core.types import SECOND
from vipkeeper.sim.faults import draw
from vipkeeper.sim.run import trace_hash
print(*(trace_hash(draw(seed, fault_phase=8 * SECOND)) for seed in (1, 5, 8)))
"""


def plan(*faults: Fault, count: int = 3, length: int = 30 * SECOND, **changes: Any) -> Plan:
    return Plan(0, FIRST_IS_CP1, settings_for(count, **changes), faults, length, True)


def fault(kind: FaultKind, server: int | None = 0, **more: Any) -> Fault:
    return Fault(SETTLE + 5 * SECOND, kind, server, **more)


def hashes(hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", HASH_PROGRAM],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_trace_does_not_depend_on_pythons_hash_seed() -> None:
    first = hashes("1")
    assert len(set(first.split())) == len(SEEDS)
    assert hashes("2") == first


def test_another_seed_of_the_noise_is_another_trace() -> None:
    one = plan(length=3 * SECOND)
    other = Plan(0, 8, one.settings, (), one.fault_phase, True)
    assert trace_hash(one) == trace_hash(one)
    assert trace_hash(one) != trace_hash(other)


def test_steps_of_wall_clocks_change_nothing_else() -> None:
    steps = tuple(
        Fault(SETTLE + n * SECOND, FaultKind.WALL_STEP, n % 3, amount=3600 * SECOND)
        for n in range(1, 9)
    )

    def told(steps: tuple[Fault, ...]) -> list[str]:
        lines = trace_lines(plan(*steps, length=10 * SECOND))
        kinds = (WallClockStepped.__name__, "FaultInjected")
        return [text for text in lines if not any(f'"type":"{kind}"' in text for kind in kinds)]

    assert told(steps) == told(())


class Seen:
    """Facts of a run."""

    def __init__(self, one: Plan) -> None:
        self.facts: list[tuple[Instant, Fact]] = []
        self.turns = 0
        play(one, lambda at, fact: self.facts.append((at, fact)), self._turn, until=one.length)

    def _turn(
        self, at: Instant, local: Instant, server: str, event: Any, actions: Sequence[Any]
    ) -> None:
        self.turns += 1

    def holders(self, at: Instant) -> set[str]:
        found: set[str] = set()
        for when, fact in self.facts:
            if when <= at and isinstance(fact, VipChanged):
                (found.add if fact.present else found.discard)(fact.server)
        return found

    def outages(self, since: Instant) -> list[int]:
        """How long the client was not served, each time."""
        spans, lost = [], None
        for at, fact in self.facts:
            if isinstance(fact, ServedChanged) and at >= since:
                if fact.server is None:
                    lost = at
                elif lost is not None:
                    spans.append(at - lost)
                    lost = None
        return spans


def test_a_cluster_left_alone_elects_once_and_keeps_its_holder() -> None:
    seen = Seen(plan())
    changes = [fact for _, fact in seen.facts if isinstance(fact, VipChanged)]
    assert changes == [VipChanged("cp1", True)]
    assert seen.holders(seen.facts[-1][0]) == {"cp1"}


def test_power_off_moves_the_vip_and_the_client_notices() -> None:
    struck = fault(FaultKind.POWER_OFF)
    seen = Seen(plan(struck))
    assert seen.holders(struck.at + 2 * SECOND) == {"cp2"}
    (outage,) = seen.outages(struck.at)
    assert 100 * MILLISECOND < outage < 400 * MILLISECOND


def test_a_killed_daemon_is_followed_when_its_kernel_lets_go() -> None:
    struck = fault(FaultKind.KILL)
    seen = Seen(plan(struck))
    assert seen.holders(struck.at + SECOND) == {"cp1"}, "the kernel lease still runs"
    assert seen.holders(struck.at + 5 * SECOND) == {"cp2"}


def test_a_daemon_that_restarts_within_its_lease_keeps_the_vip() -> None:
    struck = fault(FaultKind.KILL, duration=SECOND)
    seen = Seen(plan(struck))
    assert seen.outages(struck.at) == []
    assert seen.holders(struck.at + 10 * SECOND) == {"cp1"}


def test_a_stunned_machine_answers_again_before_its_daemon_runs() -> None:
    struck = fault(FaultKind.STUN, duration=2 * SECOND, amount=20 * MILLISECOND)
    seen = Seen(plan(struck))
    both = seen.holders(struck.at + 2 * SECOND + 10 * MILLISECOND)
    assert both == {"cp1", "cp2"}
    assert len(seen.holders(struck.at + 3 * SECOND)) == 1


def test_a_stranger_is_not_displaced() -> None:
    struck = fault(FaultKind.STRANGER, server=None, duration=20 * SECOND)
    dead = Fault(struck.at + SECOND, FaultKind.POWER_OFF, 0)
    seen = Seen(plan(struck, dead))
    assert seen.holders(struck.at + 15 * SECOND) == set()
    assert len(seen.holders(struck.at + 25 * SECOND)) == 1


@pytest.mark.parametrize("encoded", [False, True])
def test_bytes_on_the_wire_change_nothing_that_is_promised(encoded: bool) -> None:
    one = draw(12, fault_phase=20 * SECOND, encoded=encoded)
    assert run(one).violations == ()


def test_every_kind_of_fault_can_be_played() -> None:
    faults = tuple(
        Fault(
            SETTLE + (1 + number) * SECOND,
            kind,
            number % 3,
            (number + 1) % 3 if kind is FaultKind.CUT else None,
            0 if kind in (FaultKind.HANDOVER, FaultKind.WALL_STEP) else 800 * MILLISECOND,
            {FaultKind.CLOCK_RATE: 800}.get(kind, 1 if kind in FOR_EVER else 50),
        )
        for number, kind in enumerate(sorted(DRAWN, key=list(FaultKind).index))
    )
    result = run(plan(*faults, length=60 * SECOND))
    assert result.faults == len(DRAWN)
    assert [v for v in result.violations if v.invariant == "A1"] == []


def test_a_failure_is_shrunk_to_the_fault_that_causes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that is slow to let addresses go leaves the VIP behind a killed daemon; the other faults are noise."""
    monkeypatch.setattr("vipkeeper.sim.machine.LATEST_EXPIRY", 3600 * SECOND)
    noise = [Fault(SETTLE + n * SECOND, FaultKind.WALL_STEP, 1, amount=5) for n in range(1, 5)]
    struck = fault(FaultKind.KILL)
    failing = plan(*noise, struck)
    assert "S3" in {violation.invariant for violation in run(failing).violations}
    assert shrink(failing, "S3").faults == (struck,)
