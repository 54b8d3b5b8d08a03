"""How fast the simulator is, interpreted and compiled, and two sweeps: a hundred cluster-hours, and a million
faults."""

from __future__ import annotations

import math
import random
import sys
import time
from typing import Any

from bench import results, started
from bench.figures import summary
from bench.targets import Finding
from tools import compiled
from tools.compiled import AS_IT_IS, Way, What

from vipkeeper.core.facts import Fact, FaultKind, VipChanged
from vipkeeper.core.types import MILLISECOND, SECOND, Duration, Instant
from vipkeeper.errors import ExitCode
from vipkeeper.sim.faults import SETTLE, Fault, Plan, settings_for
from vipkeeper.sim.run import play

PATIENCE = 7200.0
"""Seconds after which a sweep counts as hung."""
STUNS = 50
STUN_LENGTHS = 300 * MILLISECOND, 10 * SECOND
WAKES_WITHIN = 20 * MILLISECOND
"""The kernel answers so much earlier than the daemon runs, at most."""
INTERVAL = 100 * MILLISECOND
SPEED_SEEDS = range(1, 9)
HOURS = ("--seed", "1", "--sweep", "1050")
"""What CI plays: more than a hundred cluster-hours."""
FAULTS = ("--seed", "1", "--sweep", "420", "--pause", "100", "--no-shrink")
"""Faults a tenth of a second apart: more than a million."""
ENOUGH_SPEED = 100_000
ENOUGH_HOURS, WITHIN_SECONDS = 100, 300
ENOUGH_FAULTS = 1_000_000


def measure(scale: float) -> dict[str, Any]:
    """Both sweeps, compiled as CI plays; then events per second of processor time, seed by seed, interpreted and compiled."""
    begin = time.monotonic()
    way = compiled.build(anew=True)
    took = time.monotonic() - begin
    sweeps = [_sweep(way, words, scale) for words in (HOURS, FAULTS)]
    sweeps[0]["compiling_s"] = round(took, 1)
    conditions = results.conditions()
    speeds = [compiled.play(each, SPEED_SEEDS, What.SPEED) for each in (AS_IT_IS, way)]
    compiled.prove(way, SPEED_SEEDS)
    return {
        "conditions": conditions,
        "speed": speeds[0],
        "speed_compiled": speeds[1],
        "compiler": compiled.versions() | {"seconds": round(took, 1), "same_traces": True},
        "stuns": stuns(),
        "sweeps": sweeps,
    }


def stuns() -> list[dict[str, Any]]:
    """The holder's machine stands still, all its clocks with it: how long two kernels have the VIP after it
    goes on. Milliseconds; None: they still do 20 s later."""
    found = []
    for seed in range(STUNS):
        rng = random.Random(seed)
        length, wakes = rng.randint(*STUN_LENGTHS), rng.randint(0, WAKES_WITHIN)
        at = SETTLE + SECOND + rng.randint(0, INTERVAL)
        # Whoever holds it: each server in turn, of which one is the holder.
        for server in range(3):
            stun = Fault(at, FaultKind.STUN, server, duration=length, amount=wakes)
            plan = Plan(seed, seed, settings_for(3), (stun,), length + 20 * SECOND, True)
            facts: list[tuple[Instant, Fact]] = []
            play(plan, lambda at, fact, facts=facts: facts.append((at, fact)), until=plan.length)  # type: ignore[misc]
            held = both_since(facts, f"cp{server + 1}", at, at + length)
            if held is not None:
                found.append({"seed": seed, "stunned_ms": length / MILLISECOND, "two_ms": held[0]})
    return found


def _holders(facts: list[tuple[Instant, Fact]], at: Instant) -> set[str]:
    """The servers whose kernel has the VIP at that time."""
    holding: set[str] = set()
    for when, fact in facts:
        if when <= at and isinstance(fact, VipChanged):
            (holding.add if fact.present else holding.discard)(fact.server)
    return holding


def both_since(
    facts: list[tuple[Instant, Fact]], struck: str, at: Instant, resumed: Instant
) -> tuple[float | None] | None:
    """How long two had the VIP from then on, in milliseconds; None where the struck server was not the holder."""
    if struck not in _holders(facts, at):
        return None
    holding = _holders(facts, resumed)
    since = resumed if len(holding) > 1 else None
    both: Duration = 0
    for when, fact in facts:
        if when <= resumed or not isinstance(fact, VipChanged):
            continue
        (holding.add if fact.present else holding.discard)(fact.server)
        if since is None and len(holding) > 1:
            since = when
        elif since is not None and len(holding) < 2:
            both, since = both + when - since, None
    return (None if since is not None else both / MILLISECOND,)


def _sweep(way: Way, words: tuple[str, ...], scale: float) -> dict[str, Any]:
    asked = list(words)
    at = asked.index("--sweep") + 1
    asked[at] = str(max(1, math.ceil(int(asked[at]) * min(1.0, scale))))
    before = results.conditions()
    done = started.finish(
        [sys.executable, "-P", "-m", "vipkeeper", "simulate", *asked, "--output", "json"],
        timeout=PATIENCE,
        accepted=(ExitCode.OK, ExitCode.FINDINGS),
        env=way.environment(),
    )
    keys = ("seed", "runs", "simulated_hours", "events", "faults", "moves", "seconds", "violations")
    found = started.json_of(done)
    command = " ".join(["vipkeeper simulate", *asked])
    return {"command": command, "way": way.name, "conditions": before} | {
        key: found[key] for key in keys
    }


def findings(found: dict[str, Any] | None) -> list[tuple[str, Finding]]:
    """Of issue 3: speed of a core, hours within five minutes, faults without a broken promise."""
    texts = (
        "simulation, interpreted: at least 100,000 events per second of a core",
        "simulation, compiled: at least 100,000 events per second of a core",
        "simulation: 100 cluster-hours within 5 minutes",
        "simulation: a sweep of 1,000,000 faults, 0 promises broken",
        "VM stun: two holders at most one interval after it resumes",
    )
    if not found:
        return [(text, Finding("not measured", "no run")) for text in texts]
    judged = (
        _fast(found["speed"]),
        _fast(found.get("speed_compiled")),
        *_swept(found["sweeps"]),
        _stunned([stun["two_ms"] for stun in found["stuns"]]),
    )
    return list(zip(texts, judged, strict=True))


def _judged(met: bool, said: str) -> Finding:
    return Finding("met" if met else "missed", said)


def _swept(sweeps: list[dict[str, Any]]) -> tuple[Finding, Finding]:
    """Of the sweep that played most hours a second, and of that of most faults."""
    if not sweeps:
        return Finding("not measured", "no run"), Finding("not measured", "no run")
    hours = max(sweeps, key=lambda sweep: sweep["simulated_hours"] / _took(sweep))
    faults = max(sweeps, key=lambda sweep: sweep["faults"])
    rate = hours["simulated_hours"] / _took(hours) * WITHIN_SECONDS
    return (
        _judged(
            min(rate, hours["simulated_hours"]) >= ENOUGH_HOURS and not hours["violations"],
            f"{_way(hours)}: {hours['simulated_hours']} hours in {_took(hours):.1f} s, "
            f"{hours['violations']} broken",
        ),
        _judged(
            faults["faults"] >= ENOUGH_FAULTS and not faults["violations"],
            f"{faults['faults']} faults, {faults['violations']} broken",
        ),
    )


def _fast(seeds: list[dict[str, Any]] | None) -> Finding:
    """Of one way; results from before the simulator could be compiled have only the other."""
    if not seeds:
        return Finding("not measured", "no run")
    fast = _per_second(seeds)
    return _judged(fast["p50"] >= ENOUGH_SPEED, f"p50 {fast['p50']:.0f} of {fast['n']} seeds")


def _per_second(seeds: list[dict[str, Any]]) -> dict[str, float]:
    return summary(seed["events"] / seed["cpu_s"] for seed in seeds)


def _took(sweep: dict[str, Any]) -> float:
    """Seconds of a sweep, with those of compiling the simulator for it."""
    return float(sweep["seconds"] + sweep.get("compiling_s", 0.0))


def _way(sweep: dict[str, Any]) -> str:
    return str(sweep.get("way", AS_IT_IS.name))


def _stunned(two: list[float | None]) -> Finding:
    known = [value for value in two if value is not None]
    if len(known) < len(two) or not known:
        return Finding("missed", f"{len(two) - len(known)} of {len(two)} without an end")
    text = f"max {max(known):.3f} ms with two kernels of {len(known)} stuns of 0.3 to 10 s"
    return _judged(max(known) <= INTERVAL / MILLISECOND, text)


def line(found: dict[str, Any]) -> str:
    """One line on stdout."""
    return "; ".join(f"{text}: {f.verdict} ({f.found})" for text, f in findings(found))


def section(found: dict[str, Any] | None) -> str:
    """The part of the page."""
    if not found:
        return "## simulate\n\nSpeed and sweeps of the simulator: not measured.\n"
    condition = found["conditions"]
    text = f"## simulate\n\nSpeed: seeds {SPEED_SEEDS[0]} to {SPEED_SEEDS[-1]} one by one, events per second of "
    text += f"processor time (commit {condition['commit']}, Python {condition['python']}, load {condition['load']}).\n\n"
    text += "| | seeds | min | p50 | max |\n| --- | --- | --- | --- | --- |\n"
    for way, seeds in (("interpreted", found["speed"]), ("compiled", found.get("speed_compiled"))):
        if seeds:
            fast = _per_second(seeds)
            shown = (f"{fast[key]:.0f}" for key in ("n", "min", "p50", "max"))
            text += f"| {way} | {' | '.join(shown)} |\n"
    if made := found.get("compiler"):
        text += f"\nCompiled by mypyc {made['mypy']} and {made['cc']} -O{made['level']} in {made['seconds']} s: "
        text += f"{made['modules']} modules of `wire`, `core` and `sim`, the same sources. The traces of these seeds "
        text += "are the same interpreted and compiled, byte for byte.\n"
    head = "| command | | commit | load | seeds | hours | events | faults | moves | seconds | broken |\n"
    text += "\n" + head + "|" + " --- |" * 11 + "\n"
    for sweep in found["sweeps"]:
        keys = ("runs", "simulated_hours", "events", "faults", "moves", "seconds", "violations")
        cells = [
            f"`{sweep['command']}`",
            _way(sweep),
            sweep["conditions"]["commit"],
            sweep["conditions"]["load"],
        ]
        text += f"| {' | '.join(str(cell) for cell in [*cells, *(sweep[key] for key in keys)])} |\n"
    notes = [
        f"* {sweep['conditions']['commit']}, `{sweep['command']}`, {_way(sweep)}: {said}.\n"
        for sweep in found["sweeps"]
        if (said := _note(sweep))
    ]
    return text + ("\n" + "".join(notes) if notes else "")


def _note(sweep: dict[str, Any]) -> str:
    """What else is to be said of a sweep."""
    said = [f"compiling took {sweep['compiling_s']} s more"] if "compiling_s" in sweep else []
    said += [sweep["conditions"]["note"]] if "note" in sweep["conditions"] else []
    return "; ".join(said)
