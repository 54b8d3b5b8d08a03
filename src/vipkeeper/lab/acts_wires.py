"""Acts in which machines live and wires do not: cuts in one or both directions, and loss. Played by name."""

from __future__ import annotations

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab.act import (
    AFTERWARDS,
    MILLISECOND,
    PATIENCE,
    Act,
    Group,
    answered,
    bounded,
    briefly_two,
    moved,
    ms,
    nothing_left,
    one_answers,
    quiet,
    takeover,
)
from vipkeeper.lab.fault import Fault, Mend, Part, Whose, on_wires
from vipkeeper.lab.stage import Figures, Stage
from vipkeeper.report.run import Expectation

LOST_PERCENT = 20
CUT_FOR = 2.0
"""Seconds a cut lasts that must move nothing: many times what it takes to suspect and confirm."""

YIELDS_WITHIN = 500 * MILLISECOND
"""A generous bound on two holders that hear each other again."""


def _mute(stage: Stage) -> None:
    holder = stage.holder
    stage.random_phase()
    stage.fault(f"{holder.name} cannot send", holder, kind=FaultKind.TX_CUT)
    stage.cluster.wires.mute(holder.name)
    _leaves_and_mends(stage)


def _deaf(stage: Stage) -> None:
    holder = stage.holder
    stage.random_phase()
    stage.fault(f"{holder.name} cannot receive", holder, kind=FaultKind.RX_CUT)
    stage.cluster.wires.deafen(holder.name)
    _leaves_and_mends(stage)


def _leaves_and_mends(stage: Stage) -> None:
    assert stage.victim is not None
    stage.wait_moved(stage.victim, PATIENCE, gone=True)
    stage.recorder.watch(AFTERWARDS)
    stage.cluster.wires.mend()
    stage.healed(f"the wire of {stage.victim.name} is whole", stage.victim)
    stage.recorder.watch(AFTERWARDS)


def _moved_briefly_two(stage: Stage, figures: Figures) -> list[Expectation]:
    return [*takeover(stage, figures), briefly_two(figures)]


def _loss(stage: Stage) -> None:
    holder = stage.holder
    network = stage.cluster.network
    servers = stage.cluster.servers
    stage.random_phase()
    stage.fault(f"{LOST_PERCENT} % of what is sent to servers is lost", holder, kind=FaultKind.LOSS)
    # The observer's questions are spared: it judges, and must not take loss for silence.
    stage.cluster.wires.lose(LOST_PERCENT, servers, spared=[network.observer.name])
    stage.recorder.watch(stage.seconds)
    stage.cluster.wires.mend()
    stage.healed("nothing is lost any more", holder)
    stage.recorder.watch(AFTERWARDS)


def _partial_cut(stage: Stage) -> None:
    holder = stage.holder
    backups = [server for server in stage.cluster.servers.values() if server is not holder]
    backup = stage.rng.choice(backups)
    stage.random_phase()
    stage.fault(
        f"{holder.name} and {backup.name} do not hear each other",
        holder,
        backup,
        kind=FaultKind.PARTITION,
    )
    stage.cluster.wires.cut([holder.name], [backup.name])
    stage.recorder.watch(CUT_FOR)
    stage.cluster.wires.mend()
    stage.healed(f"{holder.name} and {backup.name} hear each other", holder)
    stage.recorder.watch(AFTERWARDS)


def _split(stage: Stage) -> None:
    holder = stage.holder
    network = stage.cluster.network
    others = [name for name in stage.cluster.servers if name != holder.name]
    stage.random_phase()
    stage.fault(
        f"{holder.name} and the router are cut off from everybody else",
        holder,
        kind=FaultKind.PARTITION,
    )
    stage.cluster.wires.cut(
        [holder.name, network.router.name], [*others, network.client.name, network.observer.name]
    )
    stage.wait_answer(PATIENCE, other_than=holder)
    stage.recorder.watch(AFTERWARDS)
    stage.cluster.wires.mend()
    stage.healed("the cut heals", holder)
    stage.wait_gone(holder, PATIENCE)
    stage.recorder.watch(AFTERWARDS)


def _united(stage: Stage, figures: Figures) -> list[Expectation]:
    cut = stage.broken[0]
    # From the cut on: the wires are whole a little before the act can say so.
    released = [c.at - cut.end for c in figures.changes if not c.held and c.at >= cut.start]
    last = max(0, *released) if released else None
    yields = Expectation(
        f"after the cut one holder yields within {ms(YIELDS_WITHIN)}",
        last is not None and last <= YIELDS_WITHIN,
        f"{ms(last)} after" if last is not None else "nobody did",
    )
    return [
        moved(stage, figures),
        one_answers(figures),
        bounded(figures),
        yields,
        nothing_left(figures),
    ]


def _muted(stage: Stage) -> Mend:
    name = stage.subject.name
    wires = stage.cluster.wires
    return on_wires(stage, f"{name} cannot send", lambda: wires.mute(name), FaultKind.TX_CUT)


def _deafened(stage: Stage) -> Mend:
    name = stage.subject.name
    wires = stage.cluster.wires
    return on_wires(stage, f"{name} cannot receive", lambda: wires.deafen(name), FaultKind.RX_CUT)


def _until_moved(stage: Stage) -> None:
    stage.wait_moved(stage.subject, PATIENCE, gone=True)
    stage.recorder.watch(AFTERWARDS)


def losing(stage: Stage, percent: int) -> Mend:
    """So much of what is sent to servers is lost; the observer's questions are not."""
    cluster = stage.cluster
    spared = [cluster.network.observer.name]
    return on_wires(
        stage,
        f"{percent} % of what is sent to servers is lost",
        lambda: cluster.wires.lose(percent, cluster.servers, spared=spared),
        FaultKind.LOSS,
    )


def _lossy(stage: Stage) -> Mend:
    return losing(stage, LOST_PERCENT)


def _parted(stage: Stage) -> Mend:
    one, other = stage.subject, stage.backup()
    return on_wires(
        stage,
        f"{one.name} and {other.name} do not hear each other",
        lambda: stage.cluster.wires.cut([one.name], [other.name]),
        FaultKind.PARTITION,
    )


def _for_the_cut(stage: Stage) -> None:
    stage.recorder.watch(CUT_FOR)


MUTE = Fault(Whose.HOLDER, Part.FRAMES, _muted, _until_moved)
DEAF = Fault(Whose.HOLDER, Part.FRAMES, _deafened, _until_moved)
LOSS = Fault(Whose.LAN, Part.FRAMES, _lossy)
PARTIAL_CUT = Fault(Whose.LAN, Part.FRAMES, _parted, _for_the_cut)

WIRES: tuple[Act, ...] = (
    Act(
        "holder-mute",
        "The holder cannot send",
        "Frames reach the holder, but nothing it sends reaches anybody. Another server takes over, and "
        "the holder, which hears it, gives way at once.",
        _mute,
        _moved_briefly_two,
        in_story=False,
        group=Group.WIRES,
        numbers=(23,),
        expects="the VIP moves, two kernels have it for at most 200 ms",
        fault=MUTE,
        smoke=True,
    ),
    Act(
        "holder-deaf",
        "The holder cannot receive",
        "The holder's adverts are heard, but no client reaches it. It notices that nobody answers it, "
        "gives the VIP away, and does not take it back while it is deaf.",
        _deaf,
        _moved_briefly_two,
        in_story=False,
        group=Group.WIRES,
        numbers=(24,),
        expects="the VIP moves, two kernels have it for at most 200 ms",
        fault=DEAF,
        smoke=True,
    ),
    Act(
        "loss",
        "Every fifth frame to a server is lost",
        "20 % random loss towards all servers. Silence by chance must not move the VIP.",
        _loss,
        quiet,
        in_story=False,
        seconds=8.0,
        group=Group.WIRES,
        numbers=(29,),
        expects="the VIP does not move",
        fault=LOSS,
        smoke=True,
        most_moves=0,
    ),
    Act(
        "partial-cut",
        "The holder and one other server cannot reach each other",
        "The third server hears both, and says so: the one that no longer hears the holder does not "
        "take the VIP.",
        _partial_cut,
        answered,
        in_story=False,
        group=Group.WIRES,
        numbers=(26,),
        expects="every datagram is answered; the VIP does not move",
        fault=PARTIAL_CUT,
        most_moves=0,
    ),
    Act(
        "split",
        "The network falls apart",
        "The holder and its gateway on one side, the other servers and the client on the other. Both "
        "sides hold the VIP, each for those who can reach it. When the cut heals one gives way.",
        _split,
        _united,
        in_story=False,
        group=Group.WIRES,
        numbers=(28,),
        expects="each side is served; after the cut one yields within 500 ms",
    ),
)
