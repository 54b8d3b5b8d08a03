"""Acts in which the network falls apart in two, with a client on each side."""

from __future__ import annotations

import sys

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab.act import PATIENCE, Act, Group
from vipkeeper.lab.fault import Fault, Mend, Part, Whose, on_wires
from vipkeeper.lab.must import (
    AGREED,
    NOTHING_LEFT,
    ONE,
    UNMOVED,
    Must,
    moves,
    said,
    two_answer,
    waits,
)
from vipkeeper.lab.processes import command, in_namespace
from vipkeeper.lab.scenario import Extras, scenario
from vipkeeper.lab.stage import Stage


def _split(stage: Stage, beside: int) -> Mend:
    """The holder, `beside` other servers and the router on one side; client and observer on the other."""
    network, holder = stage.cluster.network, stage.subject
    near = [holder, *stage.backups()[:beside]]
    far = [server.name for server in stage.backups()[beside:]]
    names = " and ".join(server.name for server in near)
    inside = [*(server.name for server in near), network.router.name]
    outside = [*far, network.client.name, network.observer.name]
    return on_wires(
        stage,
        f"{names} and the router are cut off from everybody else",
        lambda: stage.cluster.wires.cut(inside, outside),
        FaultKind.PARTITION,
    )


def _lonely(stage: Stage) -> Mend:
    """The holder alone on one side, the router on the other: it hears nobody at all."""
    network, holder = stage.cluster.network, stage.subject
    rest = [machine.name for machine in network.machines if machine.name != holder.name]
    return on_wires(
        stage,
        f"{holder.name} is cut off from everybody",
        lambda: stage.cluster.wires.cut([holder.name], rest),
        FaultKind.PARTITION,
    )


def _ask_both(stage: Stage) -> None:
    """Who answers the client, and who answers a second client beside the router."""
    stage.wait_answer(PATIENCE, other_than=stage.subject)
    stage.recorder.watch(stage.seconds)
    _ask_near(stage)


def _ask_one(stage: Stage) -> None:
    """The client is answered by nobody; a second client beside the router is."""
    stage.recorder.watch(stage.seconds)
    _ask_near(stage)


def _ask_near(stage: Stage) -> None:
    network, holder = stage.cluster.network, stage.subject
    words = (sys.executable, "-m", "vipkeeper.lab.ask", "--vip", str(network.vip))
    near = command(*in_namespace(network.router.name, *words)).split()
    stage.seen["near"] = (
        "the old holder" if near == [holder.name] else " and ".join(near) or "nobody"
    )


def _until_moved(stage: Stage) -> None:
    stage.wait_moved(stage.subject, PATIENCE, gone=True)
    stage.recorder.watch(stage.seconds)


SPLIT = (Whose.LAN, Part.FRAMES)
NEAR = said("near", "the client beside the router is answered by the old holder", "the old holder")
BOTH: tuple[Must, ...] = (NEAR, moves(2), waits(3), ONE, NOTHING_LEFT, two_answer(AGREED))

SPLITS: tuple[Act, ...] = (
    scenario(
        "split-one-two",
        "The holder and its gateway on one side, two servers on the other, a client on each",
        "Both sides are served, each by a holder of its own. When the cut heals one of them gives way.",
        Group.WIRES,
        (28,),
        Fault(*SPLIT, lambda stage: _split(stage, 0), _ask_both),
        BOTH,
        1.0,
        Extras(after=2.0, alone=True),
    ),
    scenario(
        "split-two-one",
        "The holder, a backup and the gateway on one side, one server on the other, a client on each",
        "The one server has no gateway on its side and hears nobody: it is deaf and holds nothing, so its side waits.",
        Group.WIRES,
        (28,),
        Fault(*SPLIT, lambda stage: _split(stage, 1), _ask_one),
        (NEAR, UNMOVED, ONE, NOTHING_LEFT),
        2.0,
        Extras(after=2.0, alone=True),
    ),
    scenario(
        "holder-cut-off",
        "The holder is cut off from everybody",
        "Its gateway and all clients are on the other side, where another server takes over. It finds that it is deaf and "
        "gives way.",
        Group.WIRES,
        (28,),
        Fault(Whose.HOLDER, Part.FRAMES, _lonely, _until_moved),
        (moves(1), waits(3), ONE, NOTHING_LEFT, two_answer(AGREED)),
        1.0,
    ),
)
"""Played by name."""
