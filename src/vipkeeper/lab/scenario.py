"""Scenarios: acts of one fault, written as data; and two of them laid together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from vipkeeper.errors import UsageError
from vipkeeper.lab.act import Act, Group, Runs
from vipkeeper.lab.fault import AFTERWARDS, Fault, clash, clear, lay, playing
from vipkeeper.lab.must import (
    AGREED,
    LEASED,
    NOTHING_LEFT,
    ONE,
    Must,
    judged_by,
    most_moves,
    moves,
    two_answer,
)
from vipkeeper.lab.needs import Need
from vipkeeper.lab.stage import Stage

MOST_APART = 0.6
"""Seconds between the beginnings of two faults laid together, at most: any phase of a takeover."""
TOGETHER_AFTER = 4.0
"""Seconds two faults are watched on: the second may have left the VIP to a lease."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What few scenarios have."""

    managers: Runs = Runs.ANY
    needs: tuple[Need, ...] = ()
    prepare: Callable[[Stage], None] | None = None
    spoils: bool = False
    servers: int = 3
    smoke: bool = False
    after: float = AFTERWARDS
    alone: bool = False
    """Cannot be laid beside another one."""
    deceives: bool = False
    """The wire shows holders that are none meanwhile."""


PLAIN = Extras()


def scenario(
    name: str,
    title: str,
    story: str,
    group: Group,
    numbers: tuple[int, ...],
    fault: Fault,
    must: tuple[Must, ...],
    seconds: float = 0.0,
    extras: Extras = PLAIN,
) -> Act:
    """The act of one fault; `seconds`: how long it lasts unless the player says."""
    return Act(
        name,
        title,
        story,
        playing(fault, extras.after),
        judged_by(must),
        servers=extras.servers,
        in_story=False,
        seconds=seconds,
        group=group,
        numbers=numbers,
        expects="; ".join(piece.text for piece in must),
        managers=extras.managers,
        needs=extras.needs,
        prepare=extras.prepare,
        spoils=extras.spoils or extras.prepare is not None,
        fault=None if extras.alone else fault,
        smoke=extras.smoke,
        most_moves=most_moves(must),
        deceives=extras.deceives,
    )


def together(one: Act, other: Act) -> Act:
    """Both faults on one cluster, the second while the first lasts.

    Raises:
        UsageError: they cannot be laid together; says why.
    """
    name = f"{one.name}+{other.name}"
    if reason := _impossible(one, other):
        raise UsageError(f"drill: '{name}' is impossible: {reason}")
    first, second = one.fault, other.fault
    assert first is not None
    assert second is not None
    longest = max(one.seconds, other.seconds)
    """The player has asked for another time where the stage has another one."""

    def play(stage: Stage) -> None:
        stage.random_phase()
        for fault in (first, second):
            lay(stage, fault)
            stage.recorder.watch(stage.rng.uniform(0.0, MOST_APART))
        asked = stage.seconds if stage.seconds != longest else 0.0
        for act, fault in ((one, first), (other, second)):
            stage.seconds = asked or act.seconds
            fault.meanwhile(stage)
        clear(stage, "both faults are gone")
        stage.recorder.watch(TOGETHER_AFTER)

    alone = LEASED if one.deceives or other.deceives else two_answer(AGREED)
    must = (ONE, NOTHING_LEFT, moves(one.most_moves + other.most_moves + 1), alone)
    runs = Runs.VIPKEEPER if Runs.VIPKEEPER in (one.managers, other.managers) else Runs.ANY
    return replace(
        one,
        name=name,
        title=f"{one.title}; {other.title[:1].lower()}{other.title[1:]}",
        story=f"{one.story} Meanwhile: {other.story}",
        play=play,
        judge=judged_by(must),
        servers=max(one.servers, other.servers),
        seconds=longest,
        numbers=(*one.numbers, *other.numbers),
        expects="; ".join(piece.text for piece in must),
        managers=runs,
        needs=tuple(dict.fromkeys((*one.needs, *other.needs))),
        prepare=_both(one.prepare, other.prepare),
        spoils=one.spoils or other.spoils,
        in_story=False,
        fault=None,
        smoke=False,
        deceives=one.deceives or other.deceives,
    )


def _both(
    one: Callable[[Stage], None] | None, other: Callable[[Stage], None] | None
) -> Callable[[Stage], None] | None:
    wanted = [prepare for prepare in (one, other) if prepare is not None]
    if not wanted:
        return None

    def prepare(stage: Stage) -> None:
        for each in wanted:
            each(stage)

    return prepare


def _impossible(one: Act, other: Act) -> str:
    for act in (one, other):
        if act.fault is None:
            return f"'{act.name}' can only be played alone"
    if one.name == other.name:
        return "it is the same fault twice"
    return clash(one.fault, other.fault) if one.fault and other.fault else ""
