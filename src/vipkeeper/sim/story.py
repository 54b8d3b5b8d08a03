"""The story of `drill` in virtual time, for hosts that let nobody make network namespaces.

The same election, faults of the same names; what is measured is the model's client and network, not a
kernel. Each act is one fault in a cluster at rest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vipkeeper.core.facts import FaultKind
from vipkeeper.core.types import MILLISECOND, SECOND, Duration
from vipkeeper.report.run import ActResult, Expectation, Span, Verdict
from vipkeeper.sim.faults import SETTLE, Fault, Plan, settings_for
from vipkeeper.sim.run import run
from vipkeeper.sim.timeline import watch

BEFORE: Duration = SECOND
"""An act begins this long before its fault."""
AFTER: Duration = 6 * SECOND
HOLDER, NEXT, THIRD = 0, 1, 2
"""Places counted from the server that holds at rest."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What breaks in an act, and how many servers there are."""

    faults: tuple[Fault, ...] = ()
    servers: int = 3
    from_start: bool = False


def _fault(kind: FaultKind, server: int = HOLDER, duration: Duration = 0) -> Fault:
    return Fault(SETTLE, kind, server, duration=duration)


SCENES: dict[str, Scene] = {
    "elect": Scene(from_start=True),
    "answer": Scene(),
    "power-off": Scene((_fault(FaultKind.POWER_OFF),)),
    "api-dead": Scene((_fault(FaultKind.API_REFUSES, duration=60 * SECOND),)),
    "handover": Scene((_fault(FaultKind.HANDOVER),)),
    "daemon-killed": Scene((_fault(FaultKind.KILL),)),
    "daemon-frozen": Scene((_fault(FaultKind.STALL, duration=4500 * MILLISECOND),)),
    "two-gone": Scene(
        (
            _fault(FaultKind.POWER_OFF),
            _fault(FaultKind.POWER_OFF, THIRD),
            _fault(FaultKind.API_UNREADY, NEXT, 60 * SECOND),
        )
    ),
    "one-server": Scene(servers=1),
    "one-server-api-dead": Scene((_fault(FaultKind.API_REFUSES, duration=60 * SECOND),), servers=1),
}
"""By the names of the drill's acts."""


def play_story(
    acts: Sequence[tuple[str, str, str]],
    *,
    interval: Duration,
    seed: int,
    done: Callable[[ActResult], None],
) -> tuple[ActResult, ...]:
    """Play acts, each given as (name, title, story); `done` gets each result as it is there."""
    results = []
    for name, title, story in acts:
        result = dataclasses.replace(
            _play(name, interval, seed), name=name, title=title, story=story
        )
        done(result)
        results.append(result)
    return tuple(results)


def _play(name: str, interval: Duration, seed: int) -> ActResult:
    scene = SCENES[name]
    settings = settings_for(scene.servers, advert_interval=interval)
    rest = Plan(seed, seed, settings, (), 30 * SECOND, True)
    first = next(
        (
            i
            for i, lane in enumerate(watch(rest, 0, SETTLE).lanes)
            if _to_the_end(lane.held, SETTLE)
        ),
        0,
    )
    plan = rest.without(
        tuple(
            dataclasses.replace(fault, server=((fault.server or 0) + first) % scene.servers)
            for fault in scene.faults
        )
    )
    start = 0 if scene.from_start else SETTLE - BEFORE
    seen = watch(plan, start, SETTLE if scene.from_start else SETTLE + AFTER)
    broken = tuple(f"{v.invariant}: {v.text}" for v in run(plan).violations)
    end = round(seen.length * SECOND)
    answering = [lane.server for lane in seen.lanes if _to_the_end(lane.answered, end)]
    expectations = (
        Expectation(
            "every promise of the election is kept", not broken, "; ".join(broken) or "kept"
        ),
        Expectation(
            "at the end one server answers for the VIP",
            len(answering) == 1,
            " and ".join(answering) or "nobody",
        ),
    )
    unmet = [f"{e.text}: found {e.found}" for e in expectations if not e.met]
    return dataclasses.replace(
        seen,
        outage_ms=None if scene.from_start else seen.outage_ms,
        verdict=Verdict.FAILED if unmet else Verdict.PASSED,
        reason="; ".join(unmet),
        expectations=expectations,
    )


def _to_the_end(spans: Sequence[Span], end: Duration) -> bool:
    return any(round(span.end * SECOND) >= end for span in spans)
