"""Acts in which frames are lost, late, twice, broken, or out of order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab.act import Act, Group
from vipkeeper.lab.acts_wires import losing
from vipkeeper.lab.cluster import Server
from vipkeeper.lab.course import Course
from vipkeeper.lab.fault import Fault, Mend, Part, Whose, on_wires
from vipkeeper.lab.must import (
    AGREED,
    LEASED,
    NOTHING_LEFT,
    ONE,
    QUIET,
    SETTLED,
    UNMOVED,
    UNSEEN,
    moves,
    two_answer,
    two_kernels,
    waits,
)
from vipkeeper.lab.scenario import Extras, scenario
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.wire import Counts
from vipkeeper.lab.wires import Laid

BURST, BURST_EVERY = 0.3, 2.0


def _lost(percent: int) -> Callable[[Stage], Mend]:
    return lambda stage: losing(stage, percent)


def _every_fourth(stage: Stage) -> Mend:
    cluster = stage.cluster
    spared = [cluster.network.observer.name]
    return on_wires(
        stage,
        "each fourth frame to a server is lost",
        lambda: cluster.wires.lose_every(4, cluster.servers, spared=spared),
    )


def _bursts(stage: Stage) -> Mend:
    stage.fault(f"all frames to servers are lost for {BURST:g} s, again and again", stage.subject)
    return lambda: None


def _bursting(stage: Stage) -> None:
    spared = [stage.cluster.network.observer.name]
    left = stage.seconds
    while left > 0:
        faults = stage.cluster.wires.lose(100, stage.cluster.servers, spared=spared)
        stage.recorder.watch(BURST)
        stage.cluster.wires.take_away(faults)
        stage.recorder.watch(BURST_EVERY - BURST)
        left -= BURST_EVERY


def _no_multicast(stage: Stage) -> Mend:
    return on_wires(stage, "multicast is filtered, unicast works", stage.cluster.wires.no_multicast)


def _clogged(stage: Stage) -> Mend:
    stage.fault("the wires of all servers clog one by one", stage.subject)
    return lambda: None


def _swizzle(stage: Stage) -> None:
    """Clog every server's wire in one random order, and clear them in another."""
    names = list(stage.cluster.servers)
    faults: dict[str, Laid] = {}
    for name in stage.rng.sample(names, len(names)):
        wires = stage.cluster.wires
        faults[name] = wires.mute(name) + wires.deafen(name)
        stage.recorder.watch(stage.rng.uniform(0.2, 0.8))
    for name in stage.rng.sample(names, len(names)):
        stage.cluster.wires.take_away(faults[name])
        stage.recorder.watch(stage.rng.uniform(0.2, 0.8))


def _wire(text: str, course: Course) -> Callable[[Stage], Mend]:
    """A wire in userspace at the holder's port."""

    def begin(stage: Stage) -> Mend:
        server = stage.subject
        wire = stage.cluster.insert_wire(server, course, str(stage.rng.random()))
        stage.fault(f"{server.name}: {text}", server)

        def mend() -> None:
            counts = Counts.read(stage.cluster.remove_wire(server, wire))
            stage.effect(f"{text}, in fact", str(counts), met=counts.touched > 0)

        return mend

    return begin


def _pairs(servers: list[Server]) -> Iterator[tuple[Server, Server]]:
    """Servers that are not neighbours in a ring."""
    count = len(servers)
    for at, one in enumerate(servers):
        for other in servers[at + 1 :]:
            if (servers.index(other) - at) % count not in (1, count - 1):
                yield one, other


def _ring(stage: Stage) -> Mend:
    def cut() -> Laid:
        faults: Laid = ()
        for one, other in _pairs(list(stage.cluster.servers.values())):
            faults += stage.cluster.wires.cut([one.name], [other.name])
        return faults

    return on_wires(stage, "every server hears its two neighbours only", cut, FaultKind.PARTITION)


def _backup_deaf(stage: Stage) -> Mend:
    server = stage.backup()
    return on_wires(
        stage,
        f"{server.name} cannot receive",
        lambda: stage.cluster.wires.deafen(server.name),
        FaultKind.RX_CUT,
        server,
    )


FRAMES = (Whose.LAN, Part.FRAMES)
HOLDERS_WIRE = (Whose.HOLDER, Part.WIRE)


def _lossy(percent: int, must_move: int, numbers: tuple[int, ...]) -> Act:
    must = (UNMOVED, *SETTLED) if not must_move else (moves(must_move), *SETTLED)
    return scenario(
        f"loss-{percent}",
        f"{percent} % of all frames to servers are lost",
        "Lost at random, each by itself. Silence by chance must not move the VIP"
        + (", and hardly does." if must_move else "."),
        Group.WIRES,
        numbers,
        Fault(*FRAMES, _lost(percent)),
        must,
        8.0,
    )


FRAME_ACTS: tuple[Act, ...] = (
    scenario(
        "backup-deaf",
        "A backup cannot receive",
        "It hears neither the holder nor anybody else, nor its gateway, and so knows that it is the broken "
        "one. It claims nothing.",
        Group.WIRES,
        (25,),
        Fault(Whose.BACKUP, Part.FRAMES, _backup_deaf),
        UNSEEN,
        4.0,
        Extras(smoke=True),
    ),
    scenario(
        "ring",
        "Five servers, each hears its two neighbours only",
        "No server is cut off and no majority agrees. Whoever does not hear the holder hears somebody who does.",
        Group.WIRES,
        (27,),
        Fault(Whose.LAN, Part.FRAMES, _ring),
        QUIET,
        5.0,
        Extras(servers=5),
    ),
    _lossy(5, 0, (29,)),
    _lossy(40, 2, (29,)),
    scenario(
        "loss-bursts",
        "Everything to servers is lost for 300 ms, every 2 s",
        "Longer than it takes to suspect and confirm. Where nobody hears anybody each server is deaf for a moment, "
        "and claims nothing.",
        Group.WIRES,
        (30,),
        Fault(*FRAMES, _bursts, _bursting),
        (moves(2), ONE, NOTHING_LEFT, two_answer(AGREED)),
        8.0,
    ),
    scenario(
        "loss-fourth",
        "Each fourth frame to a server is lost",
        "By count and not by chance, so that a pattern of frames can meet it again and again.",
        Group.WIRES,
        (31,),
        Fault(*FRAMES, _every_fourth),
        QUIET,
        8.0,
    ),
    scenario(
        "twice",
        "Every frame of the holder arrives twice",
        "In both directions. A second copy of an advert is no news.",
        Group.WIRES,
        (32,),
        Fault(*HOLDERS_WIRE, _wire("frames arrive twice", Course(copies=2))),
        QUIET,
        5.0,
    ),
    scenario(
        "ten-times",
        "Every frame of the holder arrives ten times",
        "In both directions, as from a loop in the network.",
        Group.WIRES,
        (32,),
        Fault(*HOLDERS_WIRE, _wire("frames arrive ten times", Course(copies=10))),
        QUIET,
        5.0,
    ),
    scenario(
        "reordered",
        "Frames of the holder overtake each other",
        "Each is late by 0 to 130 ms: by more than an advert interval, so that adverts overtake each other too. One that "
        "comes after a newer one says nothing.",
        Group.WIRES,
        (33,),
        Fault(*HOLDERS_WIRE, _wire("frames are 0 to 130 ms late", Course(window=130))),
        QUIET,
        6.0,
        Extras(smoke=True),
    ),
    scenario(
        "delay-rises",
        "The way to the holder grows long",
        "From 5 ms to 300 ms, in 6 s. Adverts come late and regularly; that is no silence.",
        Group.WIRES,
        (34,),
        Fault(
            *HOLDERS_WIRE,
            _wire("frames are 5 to 300 ms late", Course(delay=5, delay_to=300, ramp=6)),
        ),
        (moves(1), ONE, NOTHING_LEFT, two_kernels(2 * AGREED)),
        9.0,
    ),
    scenario(
        "jitter",
        "The holder's frames are now and then very late",
        "One in ten has a delay of at least 20 ms, few one of a second: a distribution with a heavy tail.",
        Group.WIRES,
        (35,),
        Fault(*HOLDERS_WIRE, _wire("frames have a heavy tail of delay", Course(delay=1, tail=20))),
        QUIET,
        8.0,
    ),
    scenario(
        "corrupted",
        "Frames of the holder arrive broken",
        "Each fifth has a bit turned, is cut short, or has bytes behind. Checksum and key sort them out. ARP has neither: "
        "who answers is asked of the kernels here.",
        Group.WIRES,
        (36,),
        Fault(*HOLDERS_WIRE, _wire("each fifth frame is broken", Course(corrupt=20))),
        (UNMOVED, ONE, NOTHING_LEFT, two_kernels(0)),
        8.0,
        Extras(smoke=True, deceives=True),
    ),
    scenario(
        "clogged",
        "The wires of all servers clog and clear, in random order",
        "For a moment nobody reaches anybody. A deaf server claims nothing and a deaf holder gives way after a second, which its "
        "kernel has the VIP unheard.",
        Group.WIRES,
        (37,),
        Fault(*FRAMES, _clogged, _swizzle),
        (moves(3), waits(8), ONE, NOTHING_LEFT, two_answer(AGREED), LEASED),
        0.0,
        Extras(after=3.0),
    ),
    scenario(
        "no-multicast",
        "Multicast is filtered, unicast works",
        "Adverts are unicast: a switch that takes multicast away takes nothing from them.",
        Group.WIRES,
        (39,),
        Fault(*FRAMES, _no_multicast),
        UNSEEN,
        4.0,
    ),
)
"""Played by name."""
