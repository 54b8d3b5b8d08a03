"""The acts of the drill: what is broken, and what must be seen on the wire and in the kernels."""

from __future__ import annotations

import signal

from vipkeeper.core.facts import ApiChanged, ApiState, FaultKind
from vipkeeper.lab.act import (
    AFTERWARDS,
    PATIENCE,
    TAKEOVER_BOUND,
    Act,
    Group,
    answered,
    bounded,
    every_answered,
    ms,
    never_two,
    nothing_left,
    one_answers,
    stays,
    takeover,
)
from vipkeeper.lab.acts_daemons import DAEMONS
from vipkeeper.lab.acts_wires import WIRES
from vipkeeper.lab.fault import Fault, Mend, Part, Whose
from vipkeeper.lab.leases import patience
from vipkeeper.lab.stage import Figures, Stage
from vipkeeper.report.run import Expectation


def _elect(stage: Stage) -> None:
    stage.start_all()
    stage.wait_answer(PATIENCE * 2)
    stage.wait_service(PATIENCE)
    stage.recorder.watch(AFTERWARDS)


def _elected(_: Stage, figures: Figures) -> list[Expectation]:
    claims = [change.server for change in figures.changes if change.held]
    once = Expectation(
        "one server claims the VIP, once", len(claims) == 1, ", ".join(claims) or "nobody"
    )
    return [once, one_answers(figures), never_two(figures)]


def _steady(stage: Stage) -> None:
    stage.recorder.watch(stage.seconds)


def _power_off(stage: Stage) -> None:
    holder = stage.holder
    stage.random_phase()
    stage.fault(f"{holder.name} loses power", holder, kind=FaultKind.POWER_OFF)
    stage.cluster.power_off(holder)
    stage.wait_moved(holder, PATIENCE, served=True)
    stage.recorder.watch(AFTERWARDS)


def _api_dead(stage: Stage) -> None:
    holder = stage.holder
    assert holder.standin is not None
    stage.random_phase()
    stage.fault(f"API server of {holder.name} dies", holder, kind=FaultKind.API_REFUSES)
    holder.standin.signal_tree(signal.SIGKILL)
    stage.wait_moved(holder, PATIENCE, served=True)
    stage.recorder.watch(AFTERWARDS)


def _api_moved(stage: Stage, figures: Figures) -> list[Expectation]:
    text = f"TLS service is back within {ms(TAKEOVER_BOUND)}"
    served = Expectation(text, figures.service_outage <= TAKEOVER_BOUND, ms(figures.service_outage))
    return [served, *takeover(stage, figures)]


def _handover(stage: Stage) -> None:
    holder = stage.holder
    stage.random_phase()
    stage.fault(f"handover asked of {holder.name}", holder, kind=FaultKind.HANDOVER)
    stage.manager.hand_over(holder)
    stage.wait_answer(PATIENCE, other_than=holder)
    stage.healed("handed over", holder)
    stage.recorder.watch(AFTERWARDS)


def _daemon_killed(stage: Stage) -> None:
    holder = stage.holder
    assert holder.daemon is not None
    stage.random_phase()
    stage.fault(f"daemon of {holder.name} gets SIGKILL", holder, kind=FaultKind.KILL)
    holder.daemon.signal_tree(signal.SIGKILL)
    stage.wait_gone(holder, patience(stage, holder))
    stage.wait_answer(PATIENCE, other_than=holder)
    stage.recorder.watch(AFTERWARDS)


def _daemon_frozen(stage: Stage) -> None:
    holder = stage.holder
    assert holder.daemon is not None
    stage.random_phase()
    stage.fault(f"daemon of {holder.name} gets SIGSTOP", holder, kind=FaultKind.STALL)
    holder.daemon.signal_tree(signal.SIGSTOP)
    stage.wait_gone(holder, patience(stage, holder))
    stage.wait_answer(PATIENCE, other_than=holder)
    stage.recorder.watch(AFTERWARDS)
    holder.daemon.signal_tree(signal.SIGCONT)
    stage.healed(f"daemon of {holder.name} goes on", holder)
    stage.recorder.watch(AFTERWARDS + 0.5)


def _two_gone(stage: Stage) -> None:
    holder = stage.holder
    others = [server for server in stage.cluster.servers.values() if server is not holder]
    second, survivor = stage.rng.sample(others, 2)
    stage.random_phase()
    stage.fault(
        f"{holder.name} and {second.name} lose power", holder, second, kind=FaultKind.POWER_OFF
    )
    stage.cluster.power_off(holder, second)
    survivor.order("unready")
    stage.cluster.ledger.tell(ApiChanged(survivor.name, ApiState.UNREADY))
    survivor.order("etcd false")
    stage.wait_answer(PATIENCE, other_than=holder)
    # Longer than the 4 s after which a soft failure may move a VIP that has somewhere to go.
    stage.recorder.watch(5.0)


def _survived(stage: Stage, figures: Figures) -> list[Expectation]:
    survivor = next(server for server in stage.cluster.servers.values() if server.powered)
    return [
        stays(figures, survivor),
        one_answers(figures),
        bounded(figures),
        never_two(figures),
        nothing_left(figures),
    ]


def _alone(stage: Stage, figures: Figures) -> list[Expectation]:
    server = next(iter(stage.cluster.servers.values()))
    return [stays(figures, server), one_answers(figures), every_answered(stage, figures)]


def _alone_api_dead(stage: Stage) -> None:
    holder = stage.holder
    assert holder.standin is not None
    stage.random_phase()
    stage.fault(f"API server of {holder.name} dies", holder, kind=FaultKind.API_REFUSES)
    holder.standin.signal_tree(signal.SIGKILL)
    stage.recorder.watch(5.0)


def _refused(stage: Stage, figures: Figures) -> list[Expectation]:
    lasted = figures.window.end - stage.broken[0].start
    half = figures.service_outage > lasted // 2
    honest = Expectation("TLS is refused to the end", half, ms(figures.service_outage))
    return [*_alone(stage, figures), honest]


def _without_power(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"{server.name} loses power", server, kind=FaultKind.POWER_OFF)
    stage.cluster.power_off(server)
    return stage.start_all


def _without_daemon(stage: Stage) -> Mend:
    server = stage.subject
    assert server.daemon is not None
    stage.fault(f"daemon of {server.name} gets SIGKILL", server, kind=FaultKind.KILL)
    server.daemon.signal_tree(signal.SIGKILL)
    return lambda: stage.manager.start(server)


def _until_moved(stage: Stage) -> None:
    stage.wait_gone(stage.subject, patience(stage, stage.subject))
    stage.wait_answer(PATIENCE, other_than=stage.subject)
    stage.recorder.watch(AFTERWARDS)


POWER_OFF = Fault(Whose.HOLDER, Part.POWER, _without_power, _until_moved)
DAEMON_KILLED = Fault(Whose.HOLDER, Part.DAEMON, _without_daemon, _until_moved)

STORY: tuple[Act, ...] = (
    Act(
        "elect",
        "Servers start and one is elected",
        "Three servers are switched on. One of them claims the VIP, once; the others watch it.",
        _elect,
        _elected,
        fresh=True,
        measures_outage=False,
        group=Group.NOTHING,
        expects="one server claims the VIP, once",
        smoke=True,
    ),
    Act(
        "answer",
        "The VIP answers",
        "Nothing happens for a while, and a client is answered every time.",
        _steady,
        answered,
        seconds=3.0,
        group=Group.NOTHING,
        expects="every datagram is answered; the VIP does not move",
        smoke=True,
        most_moves=0,
    ),
    Act(
        "power-off",
        "The holder loses power",
        "The server with the VIP is gone from one instant to the next. Another one takes over.",
        _power_off,
        takeover,
        group=Group.NOTHING,
        expects="another server takes over; the client waits at most 3 s",
        fault=POWER_OFF,
        smoke=True,
    ),
    Act(
        "api-dead",
        "The holder's API server dies",
        "The machine lives and would go on answering for the VIP, but nobody serves there. "
        "The VIP moves to a server whose API server is ready.",
        _api_dead,
        _api_moved,
        group=Group.SERVICE,
        numbers=(46,),
        expects="the VIP moves to a ready server; TLS is back within 3 s",
        smoke=True,
    ),
    Act(
        "handover",
        "A planned handover",
        "An operator asks the holder to hand the VIP over. The address leaves first, the successor "
        "serves a moment later.",
        _handover,
        takeover,
        group=Group.NOTHING,
        numbers=(1,),
        expects="the VIP moves; the client waits at most 3 s",
        smoke=True,
    ),
    Act(
        "daemon-killed",
        "The holder's daemon gets SIGKILL",
        "The machine goes on answering for the VIP with nobody in charge. Where the address has a "
        "lease, as with vipkeeper, the kernel takes it away in time, before another server claims it.",
        _daemon_killed,
        takeover,
        group=Group.DAEMON,
        numbers=(2,),
        expects="the VIP leaves with its lease, only then another server claims it",
        fault=DAEMON_KILLED,
        smoke=True,
    ),
    Act(
        "daemon-frozen",
        "The holder's daemon gets SIGSTOP",
        "A frozen daemon cannot renew a lease, so with vipkeeper the VIP leaves and moves. When the "
        "daemon goes on it must find that it lost the VIP, and not take it back.",
        _daemon_frozen,
        takeover,
        group=Group.DAEMON,
        numbers=(5,),
        expects="the same; the daemon that goes on does not take the VIP back",
    ),
    Act(
        "two-gone",
        "Two of three servers are gone",
        "etcd has lost its quorum and the last API server is unready. The survivor holds the VIP all "
        "the same: an error from an API server says more than silence.",
        _two_gone,
        _survived,
        group=Group.NOTHING,
        expects="the survivor holds the VIP",
        smoke=True,
    ),
    Act(
        "one-server",
        "A cluster of one holds its VIP",
        "A cluster begins with one server. It claims the VIP and keeps it, with vipkeeper beyond its kernel lease.",
        _steady,
        _alone,
        seconds=4.5,
        servers=1,
        group=Group.NOTHING,
        expects="the VIP stays beyond its lease",
        most_moves=0,
    ),
    Act(
        "one-server-api-dead",
        "The only API server dies",
        "There is nowhere to move to, so the VIP stays. Clients are refused at once: the machine is "
        "there, its API server is not.",
        _alone_api_dead,
        _refused,
        servers=1,
        group=Group.SERVICE,
        numbers=(46,),
        expects="the VIP stays, TLS is refused",
        most_moves=0,
    ),
)
"""What is played when no act is named."""

ACTS: tuple[Act, ...] = (*STORY, *DAEMONS, *WIRES)
"""All there are."""
