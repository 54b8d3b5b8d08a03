"""Makes the fault list of a failing run as short as it gets while the same promise stays broken."""

from __future__ import annotations

from collections.abc import Callable

from vipkeeper.sim.faults import Fault, Plan
from vipkeeper.sim.run import run

MOST_RUNS = 400


def shrink(plan: Plan, invariant: str, progress: Callable[[int, int], None] | None = None) -> Plan:
    """Greedy removal, in halves, quarters, ... and at last one by one, until nothing more can go.

    Bounded by MOST_RUNS runs. `progress` is told runs so far and faults left.
    """
    faults = plan.faults
    runs = 0
    size = max(1, len(faults) // 2)
    while runs < MOST_RUNS and faults:
        smaller, used = _without_chunks(plan, faults, size, invariant, MOST_RUNS - runs)
        runs += used
        if progress is not None:
            progress(runs, len(smaller))
        done = size == 1 and len(smaller) == len(faults)
        faults = smaller
        if done:
            break
        size = max(1, min(size // 2, len(faults) // 2))
    return plan.without(faults)


def _without_chunks(
    plan: Plan, faults: tuple[Fault, ...], size: int, invariant: str, most: int
) -> tuple[tuple[Fault, ...], int]:
    used = 0
    end = len(faults)
    while end > 0 and used < most:
        start = max(0, end - size)
        candidate = faults[:start] + faults[end:]
        used += 1
        if breaks(plan.without(candidate), invariant):
            faults = candidate
        end = start
    return faults, used


def breaks(plan: Plan, invariant: str) -> bool:
    """True when a run of this plan breaks this promise."""
    return any(v.invariant == invariant for v in run(plan, stop_at=invariant).violations)
