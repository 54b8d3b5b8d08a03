"""A fault as a piece: laid on a cluster, left there for a while, taken away; alone or beside another one."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab.cluster import Server
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.wires import Laid

AFTERWARDS = 1.0
"""Seconds a fault is watched on after the last thing waited for: long enough to see a VIP come back."""


class Whose(enum.Enum):
    """The machine a fault is laid on."""

    HOLDER = "the holder"
    BACKUP = "another server"
    ALL = "all servers"
    LAN = "the LAN"


class Part(enum.Enum):
    """What of the machine it breaks. Two faults of one part of one machine cannot be told apart."""

    POWER = "power"
    DAEMON = "daemon"
    API = "API server"
    LINK = "link"
    WIRE = "wire"
    ADDRESS = "addresses"
    FRAMES = "frames"
    """Some of what passes the bridge: several such faults stand beside each other."""
    STRANGER = "stranger"
    """Somebody else on the LAN: disturbs no other fault."""


SHARED = (Part.FRAMES, Part.STRANGER)
"""Parts of which one machine can have several faults."""

Mend = Callable[[], None]


def lasts(stage: Stage) -> None:
    """It goes on for as long as the act says."""
    stage.recorder.watch(stage.seconds)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that breaks."""

    whose: Whose
    part: Part
    begin: Callable[[Stage], Mend]
    """Break it, say so to the stage, and give back how it is mended."""
    meanwhile: Callable[[Stage], None] = lasts
    """What is done or waited for while it is broken."""
    mended: str = "what was broken works again"
    also: tuple[Part, ...] = ()
    """Other parts of the same machine that it breaks as well, or that must be whole for it."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """All it has to do with."""
        return (self.part, *self.also)


def lay(stage: Stage, fault: Fault) -> None:
    """Break it now."""
    stage.on_undo(fault.begin(stage))


def on_wires(
    stage: Stage,
    text: str,
    do: Callable[[], Laid],
    kind: FaultKind = FaultKind.OTHER,
    server: Server | None = None,
) -> Mend:
    """Say what becomes of frames, then have the bridge do it, which takes milliseconds: outages count from what was said.

    `server`: whose frames they are; None: the subject's.
    """
    stage.fault(text, server or stage.subject, kind=kind)
    laid = do()
    return lambda: stage.cluster.wires.take_away(laid)


def clear(stage: Stage, said: str) -> None:
    """Mend all that is broken, the last thing first."""
    stage.mend()
    if stage.victim is not None:
        stage.healed(said, stage.victim)


def playing(fault: Fault, after: float = AFTERWARDS) -> Callable[[Stage], None]:
    """How an act of one fault is played: at a random phase, for its time, and on for `after` seconds."""

    def play(stage: Stage) -> None:
        stage.random_phase()
        lay(stage, fault)
        fault.meanwhile(stage)
        clear(stage, fault.mended)
        stage.recorder.watch(after)

    return play


def clash(one: Fault, other: Fault) -> str:
    """Why two faults cannot be laid together; empty where they can."""
    if not _meet(one, other):
        return ""
    if Part.POWER in (one.part, other.part):
        rest = other if one.part is Part.POWER else one
        if rest.whose is Whose.ALL and rest.parts == (Part.API,):
            return ""  # those of the machines that are left
        return "a machine without power has nothing else to break"
    if one.part is other.part and one.part not in SHARED:
        return f"both break the {one.part.value} of {_nearer(one, other).value}"
    for part in one.parts:
        if part in other.parts and part not in SHARED:
            return f"both need the {part.value} of {_nearer(one, other).value}"
    return ""


def _meet(one: Fault, other: Fault) -> bool:
    """Whether they can be laid on the same machine."""
    whose = {one.whose, other.whose}
    return len(whose) == 1 or Whose.ALL in whose


def _nearer(one: Fault, other: Fault) -> Whose:
    return other.whose if one.whose is Whose.ALL else one.whose
