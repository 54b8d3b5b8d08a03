"""Collectors and how they are run: side by side, each with its own limit, none able to stop the others."""

from __future__ import annotations

import enum
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from vipkeeper.collect.target import Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import Privilege
from vipkeeper.diagnose.vocabulary import Key, Subject


class Phase(enum.IntEnum):
    """When a collector looks: a probe can mend the very fault it looks for."""

    PASSIVE = 0
    """Before anything is sent."""
    ASK = 1
    ARP = 2
    """Last, since an answer renews the neighbour entry that clients of this host use."""


@dataclass(frozen=True, slots=True)
class Collector:
    """Looks at one thing. It reads, and changes nothing but neighbour entries."""

    name: str
    makes_known: frozenset[Key]
    look: Callable[[Target], Iterable[Fact]]
    limit: float
    """Seconds until it counts as without an answer."""
    privilege: Privilege = Privilege.NONE
    on_server: bool = False
    """Whether there is something to look at only on a control-plane server."""
    phase: Phase = Phase.ASK


def run(collectors: Sequence[Collector], target: Target) -> tuple[Fact, ...]:
    """All facts, one phase after the other, within a phase all collectors at once."""
    fitting = [c for c in collectors if target.own or not c.on_server]
    facts: list[Fact] = []
    for phase in Phase:
        facts += _together([c for c in fitting if c.phase is phase], target)
    return tuple(facts)


def _together(collectors: Sequence[Collector], target: Target) -> list[Fact]:
    """Each in a thread of its own that nobody waits for longer than its limit."""
    facts: list[Fact] = []
    done: queue.SimpleQueue[tuple[Collector, tuple[Fact, ...]]] = queue.SimpleQueue()
    begin = time.monotonic()
    waiting = []
    for collector in collectors:
        if collector.privilege is Privilege.ROOT and not target.root:
            facts += _blind(collector, target, "needs root")
            continue
        threading.Thread(target=_look, args=(collector, target, done), daemon=True).start()
        waiting.append(collector)
    while waiting:
        left = begin + max(collector.limit for collector in waiting) - time.monotonic()
        try:
            collector, found = done.get(timeout=max(0.0, left))
        except queue.Empty:
            break
        waiting.remove(collector)
        facts += found
    for collector in waiting:
        facts += _blind(collector, target, f"no answer within {collector.limit:g} s")
    return facts


def _look(
    collector: Collector,
    target: Target,
    done: queue.SimpleQueue[tuple[Collector, tuple[Fact, ...]]],
) -> None:
    try:
        found = tuple(collector.look(target))
    except OSError as error:
        found = tuple(_blind(collector, target, error.strerror or str(error)))
    done.put((collector, found))


def _blind(collector: Collector, target: Target, why: str) -> Iterable[Fact]:
    """One line for each key that stays unknown, where the key names no aspect."""
    for key in sorted(collector.makes_known, key=lambda key: key.word):
        about = target.own if key.meaning.subject is Subject.SERVER else ""
        if not key.meaning.aspect and (about or key.meaning.subject is not Subject.SERVER):
            yield target.blind(key, why, collector.name, about=about)
