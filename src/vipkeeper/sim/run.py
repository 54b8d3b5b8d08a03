"""One run of a plan: the world goes on, the invariants look, and what came of it is counted."""

from __future__ import annotations

import contextlib
import gc
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vipkeeper.core.facts import Fact
from vipkeeper.core.invariants.checker import Checker
from vipkeeper.core.invariants.liveness import SomebodyServes
from vipkeeper.core.invariants.violation import Violation
from vipkeeper.core.trace import line
from vipkeeper.core.types import SECOND, Duration, Instant
from vipkeeper.sim.faults import SETTLE, Plan
from vipkeeper.sim.inject import Injector
from vipkeeper.sim.world import FactWatch, TurnWatch, World


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to."""

    seed: int
    simulated: Duration
    events: int
    """Entries of the heap that were due: packets, timers, faults, looks."""
    turns: int
    """Events that nodes handled."""
    faults: int
    moves: int
    """Times a server became holder that was not the last one."""
    worst_outage: Duration
    """Longest time the client was not served after one fault in a cluster at rest."""
    violations: tuple[Violation, ...]


STOP_EVERY: Duration = 5 * SECOND
"""How often a run that shall stop early looks whether it may."""


def run(plan: Plan, *, checked: bool = True, stop_at: str | None = None) -> Result:
    """Play a plan to its end.

    `checked` false leaves the invariants out, to measure what they cost; `stop_at` ends the run soon
    after this invariant was broken.
    """
    checker = Checker()

    def broken() -> bool:
        return any(violation.invariant == stop_at for violation in checker.violations)

    world = World(plan, checker.fact, checker.turn) if checked else World(plan)
    injector = Injector(world)
    with _without_collector():
        _advance(world, injector, plan.length, broken if stop_at is not None else None)
    checker.finish(world.now)
    worst = max((i.worst for i in checker.invariants if isinstance(i, SomebodyServes)), default=0)
    return Result(
        plan.seed,
        world.now,
        world.calls,
        world.turns,
        injector.injected,
        checker.situation.moves,
        worst,
        tuple(checker.violations),
    )


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Millions of short-lived objects and hardly a cycle: looking for garbage would take a tenth."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _advance(
    world: World, injector: Injector, end: Instant, stop: Callable[[], bool] | None
) -> None:
    """Faults, then the healing, then quiet."""
    healing = SETTLE + world.plan.fault_phase
    for until in (healing, end):
        target = min(until, end)
        while stop is not None and world.now + STOP_EVERY < target:
            world.run(world.now + STOP_EVERY)
            if stop():
                return
        world.run(target)
        if target == healing:
            injector.heal()
        if target == end:
            return


def play(plan: Plan, facts: FactWatch, watch: TurnWatch | None = None, *, until: Instant) -> None:
    """Play a plan up to a time for somebody who only watches."""
    world = World(plan, facts, watch)
    _advance(world, Injector(world), until, None)


def trace_lines(plan: Plan) -> list[str]:
    """The whole trace of a run as NDJSON, facts and turns alike; slow."""
    found: list[str] = []

    def fact(at: Instant, item: Fact) -> None:
        found.append(line(at, item, writer="simulator"))

    def watch(at: Instant, local: Instant, server: str, event: Any, actions: Sequence[Any]) -> None:
        found.append(line(at, event, writer=server, local=local))
        found.extend(line(at, action, writer=server, local=local) for action in actions)

    play(plan, fact, watch, until=plan.length)
    return found


def trace_hash(plan: Plan) -> str:
    """SHA-256 of the trace: equal for equal plans, whatever Python's hash seed is."""
    digest = hashlib.sha256()
    for text in trace_lines(plan):
        digest.update(text.encode() + b"\n")
    return digest.hexdigest()
