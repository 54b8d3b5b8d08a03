"""What an act of the drill is, and what can be expected of one on the wire and in the kernels."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from vipkeeper.lab.cluster import Server
from vipkeeper.lab.fault import Fault
from vipkeeper.lab.needs import Need
from vipkeeper.lab.stage import Figures, Stage
from vipkeeper.report.run import Expectation

MILLISECOND = 1_000_000
PATIENCE = 10.0
"""Seconds an act waits for a takeover, everything that belongs to it, before it goes on and fails."""
AFTERWARDS = 1.0
"""Seconds an act goes on after the last thing it waits for: long enough to see a VIP come back."""
TAKEOVER_BOUND = 3000 * MILLISECOND
"""A generous bound on outages: acts say whether it works at all, the bench says how fast."""

MOMENT = 200 * MILLISECOND
"""A generous bound on two holders where one cannot know of the other at once."""

Judge = Callable[[Stage, Figures], list[Expectation]]


class Group(enum.Enum):
    """What is broken: the headings of `drill list` and of docs/scenarios.md."""

    NOTHING = "Nothing, or a whole machine"
    DAEMON = "The daemon"
    TIME = "Time to run"
    WIRES = "Wires"
    ADDRESSES = "Addresses and interfaces"
    SERVICE = "The API server"
    STRANGERS = "Clocks and strangers"


class Runs(enum.Enum):
    """Which managers an act can be played with."""

    ANY = "any"
    VIPKEEPER = "vipkeeper"
    """It breaks or rewrites something that only this program has."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act, or scenario: a story, how it is played, how it is judged, what it needs."""

    name: str
    title: str
    story: str
    play: Callable[[Stage], None]
    judge: Judge
    servers: int = 3
    fresh: bool = False
    """Begins with every server off."""
    measures_outage: bool = True
    in_story: bool = True
    """Played when no act is named."""
    seconds: float = 0.0
    """How long it goes on unless the player says; 0 where its end is its own."""
    group: Group = Group.NOTHING
    numbers: tuple[int, ...] = ()
    """Its rows of the fault catalogue (docs/scenarios.md)."""
    expects: str = ""
    """What must be seen besides one holder at the end, for a reader."""
    managers: Runs = Runs.ANY
    needs: tuple[Need, ...] = ()
    """What this host must have; without it the act is skipped, with the reason."""
    prepare: Callable[[Stage], None] | None = None
    """Changes the cluster before the act; it is brought to health again before time begins."""
    spoils: bool = False
    """Leaves a cluster that the next act must not have."""
    fault: Fault | None = None
    """What of it can be laid beside another act's; None: it can only be played alone."""
    smoke: bool = False
    """Part of the short suite."""
    most_moves: int = 1
    """How often it may move the VIP; for acts laid together this is added up."""
    deceives: bool = False
    """The wire shows holders that are none meanwhile: with another act beside it the kernels are asked."""


def ms(nanoseconds: int) -> str:
    """A figure for a reader, whole milliseconds."""
    return f"{nanoseconds / MILLISECOND:.0f} ms"


def _names(names: frozenset[str] | tuple[str, ...]) -> str:
    return " and ".join(sorted(names)) or "nobody"


def never_two(figures: Figures) -> Expectation:
    """One holder at a time, as everybody on the LAN sees it."""
    text = "never two servers answer for the VIP"
    return Expectation(text, figures.two_holders == 0, ms(figures.two_holders))


def nothing_left(figures: Figures) -> Expectation:
    """No VIP on a machine that nobody looks after."""
    text = "no VIP is left on a server without a daemon"
    return Expectation(text, not figures.left_behind, _names(figures.left_behind))


def one_answers(figures: Figures) -> Expectation:
    """Kernel and wire agree on one server."""
    met = len(figures.holders) == 1 and figures.answerers == figures.holders
    found = f"on {_names(figures.holders)}, answered by {_names(figures.answerers)}"
    return Expectation("at the end one server has the VIP and answers", met, found)


def moved(stage: Stage, figures: Figures) -> Expectation:
    """The server the act is about no longer has the VIP."""
    assert stage.victim is not None
    victim = stage.victim.name
    met = bool(figures.holders) and victim not in figures.holders
    return Expectation(f"the VIP leaves {victim}", met, f"on {_names(figures.holders)}")


def stays(figures: Figures, server: Server) -> Expectation:
    """The VIP is on that server and has not left it since it came."""
    released = [c for c in figures.changes if not c.held and c.server == server.name]
    met = figures.holders == {server.name} and not released
    text = f"the VIP stays on {server.name}"
    return Expectation(text, met, f"on {_names(figures.holders)}, left it {len(released)} times")


def bounded(figures: Figures, limit: int = TAKEOVER_BOUND) -> Expectation:
    """The client is answered again."""
    text = f"the client is without answer for at most {ms(limit)}"
    return Expectation(text, figures.outage <= limit, ms(figures.outage))


def every_answered(stage: Stage, figures: Figures) -> Expectation:
    """Nothing the client sent is lost; an answer may be late, since the machine may be busy."""
    lost = stage.recorder.udp.unanswered(figures.window)
    return Expectation("every datagram is answered", lost == 0, f"{lost} lost")


def takeover(stage: Stage, figures: Figures) -> list[Expectation]:
    """Another server has the VIP, soon, alone, and nothing of it stays behind."""
    return [
        moved(stage, figures),
        one_answers(figures),
        bounded(figures),
        never_two(figures),
        nothing_left(figures),
    ]


def unmoved(figures: Figures) -> Expectation:
    """The VIP neither came to a kernel nor left one."""
    found = f"{figures.moves} moves, {len(figures.changes)} changes of addresses"
    return Expectation("the VIP does not move", not figures.changes, found)


def quiet(_: Stage, figures: Figures) -> list[Expectation]:
    """What is broken moves nothing."""
    return [unmoved(figures), one_answers(figures), never_two(figures), nothing_left(figures)]


def answered(stage: Stage, figures: Figures) -> list[Expectation]:
    """What is broken moves nothing, and no client sees it."""
    return [every_answered(stage, figures), *quiet(stage, figures)]


def briefly_two(figures: Figures, limit: int = MOMENT) -> Expectation:
    """One holder learns of the other as soon as it can hear it."""
    text = f"two kernels have the VIP for at most {ms(limit)}"
    return Expectation(text, figures.two_kernels <= limit, ms(figures.two_kernels))
