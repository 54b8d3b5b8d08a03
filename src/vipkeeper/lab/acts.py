"""The acts of the drill: what is broken, and what must be seen on the wire and in the kernels."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass

from vipkeeper.lab.cluster import Server
from vipkeeper.lab.stage import Figures, Stage
from vipkeeper.lab.standin_control import tell
from vipkeeper.report.run import Expectation

MILLISECOND = 1_000_000
PATIENCE = 10.0
"""Seconds an act waits for a takeover before it goes on and fails."""
LEASE_PATIENCE = 7.0
"""Seconds for a VIP to leave by itself: the default kernel lease is 3 s."""
AFTERWARDS = 1.0
"""Seconds an act goes on after the last thing it waits for: long enough to see a VIP come back."""
TAKEOVER_BOUND = 3000 * MILLISECOND
"""A generous bound on outages: acts say whether it works at all, the bench says how fast."""

Judge = Callable[[Stage, Figures], list[Expectation]]


@dataclass(frozen=True, slots=True)
class Act:
    """One act: a story, how it is played, how it is judged."""

    name: str
    title: str
    story: str
    play: Callable[[Stage], None]
    judge: Judge
    servers: int = 3
    fresh: bool = False
    """Begins with every server off."""
    measures_outage: bool = True


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / MILLISECOND:.0f} ms"


def _names(names: frozenset[str] | tuple[str, ...]) -> str:
    return " and ".join(sorted(names)) or "nobody"


def never_two(figures: Figures) -> Expectation:
    """One holder at a time, as everybody on the LAN sees it."""
    text = "never two servers answer for the VIP"
    return Expectation(text, figures.two_holders == 0, _ms(figures.two_holders))


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
    text = f"the client is without answer for at most {_ms(limit)}"
    return Expectation(text, figures.outage <= limit, _ms(figures.outage))


def every_answered(stage: Stage, figures: Figures) -> Expectation:
    """Nothing the client sent is lost; an answer may be late, since the machine may be busy."""
    lost = stage.recorder.udp.unanswered(figures.window)
    return Expectation("every datagram is answered", lost == 0, f"{lost} lost")


def _takeover(stage: Stage, figures: Figures) -> list[Expectation]:
    return [
        moved(stage, figures),
        one_answers(figures),
        bounded(figures),
        never_two(figures),
        nothing_left(figures),
    ]


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


def _steady(seconds: float) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        stage.recorder.watch(seconds)

    return play


def _answered(stage: Stage, figures: Figures) -> list[Expectation]:
    unmoved = Expectation("the VIP does not move", not figures.changes, f"{figures.moves} moves")
    return [every_answered(stage, figures), unmoved, one_answers(figures), never_two(figures)]


def _power_off(stage: Stage) -> None:
    holder = stage.holder
    stage.random_phase()
    stage.fault(f"{holder.name} loses power", holder)
    stage.cluster.power_off(holder)
    stage.wait_answer(PATIENCE, other_than=holder)
    stage.wait_service(PATIENCE)
    stage.recorder.watch(AFTERWARDS)


def _api_dead(stage: Stage) -> None:
    holder = stage.holder
    assert holder.standin is not None
    stage.random_phase()
    stage.fault(f"API server of {holder.name} dies", holder)
    holder.standin.signal_tree(signal.SIGKILL)
    stage.wait_answer(PATIENCE, other_than=holder)
    stage.wait_service(PATIENCE)
    stage.recorder.watch(AFTERWARDS)


def _api_moved(stage: Stage, figures: Figures) -> list[Expectation]:
    text = f"TLS service is back within {_ms(TAKEOVER_BOUND)}"
    served = Expectation(
        text, figures.service_outage <= TAKEOVER_BOUND, _ms(figures.service_outage)
    )
    return [served, *_takeover(stage, figures)]


def _handover(stage: Stage) -> None:
    holder = stage.holder
    stage.random_phase()
    stage.fault(f"handover asked of {holder.name}", holder)
    stage.manager.hand_over(holder)
    stage.wait_answer(PATIENCE, other_than=holder)
    stage.healed("handed over", holder)
    stage.recorder.watch(AFTERWARDS)


def _daemon_killed(stage: Stage) -> None:
    holder = stage.holder
    assert holder.daemon is not None
    stage.random_phase()
    stage.fault(f"daemon of {holder.name} gets SIGKILL", holder)
    holder.daemon.signal_tree(signal.SIGKILL)
    stage.wait_gone(holder, LEASE_PATIENCE)
    stage.wait_answer(PATIENCE, other_than=holder)
    stage.recorder.watch(AFTERWARDS)


def _daemon_frozen(stage: Stage) -> None:
    holder = stage.holder
    assert holder.daemon is not None
    stage.random_phase()
    stage.fault(f"daemon of {holder.name} gets SIGSTOP", holder)
    holder.daemon.signal_tree(signal.SIGSTOP)
    stage.wait_gone(holder, LEASE_PATIENCE)
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
    stage.fault(f"{holder.name} and {second.name} lose power", holder, second)
    stage.cluster.power_off(holder, second)
    tell(survivor.control, "unready")
    tell(survivor.control, "etcd false")
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
    stage.fault(f"API server of {holder.name} dies", holder)
    holder.standin.signal_tree(signal.SIGKILL)
    stage.recorder.watch(5.0)


def _refused(stage: Stage, figures: Figures) -> list[Expectation]:
    lasted = figures.window.end - stage.broken[0].start
    half = figures.service_outage > lasted // 2
    honest = Expectation("TLS is refused to the end", half, _ms(figures.service_outage))
    return [*_alone(stage, figures), honest]


ACTS: tuple[Act, ...] = (
    Act(
        "elect",
        "Servers start and one is elected",
        "Three servers are switched on. One of them claims the VIP, once; the others watch it.",
        _elect,
        _elected,
        fresh=True,
        measures_outage=False,
    ),
    Act(
        "answer",
        "The VIP answers",
        "Nothing happens for three seconds, and a client is answered every time.",
        _steady(3.0),
        _answered,
    ),
    Act(
        "power-off",
        "The holder loses power",
        "The server with the VIP is gone from one instant to the next. Another one takes over.",
        _power_off,
        _takeover,
    ),
    Act(
        "api-dead",
        "The holder's API server dies",
        "The machine lives and would go on answering for the VIP, but nobody serves there. "
        "The VIP moves to a server whose API server is ready.",
        _api_dead,
        _api_moved,
    ),
    Act(
        "handover",
        "A planned handover",
        "An operator asks the holder to hand the VIP over. The address leaves first, the successor "
        "serves a moment later.",
        _handover,
        _takeover,
    ),
    Act(
        "daemon-killed",
        "The holder's daemon gets SIGKILL",
        "The machine goes on answering for the VIP with nobody in charge. The kernel takes the "
        "address away when its lease lapses; only then another server claims it.",
        _daemon_killed,
        _takeover,
    ),
    Act(
        "daemon-frozen",
        "The holder's daemon gets SIGSTOP",
        "A frozen daemon cannot renew its lease, so the VIP leaves and moves. When the daemon goes "
        "on it finds that it lost the VIP, and does not take it back.",
        _daemon_frozen,
        _takeover,
    ),
    Act(
        "two-gone",
        "Two of three servers are gone",
        "etcd has lost its quorum and the last API server is unready. The survivor holds the VIP all "
        "the same: an error from an API server says more than silence.",
        _two_gone,
        _survived,
    ),
    Act(
        "one-server",
        "A cluster of one holds its VIP",
        "A cluster begins with one server. It claims the VIP and keeps it beyond its kernel lease.",
        _steady(4.5),
        _alone,
        servers=1,
    ),
    Act(
        "one-server-api-dead",
        "The only API server dies",
        "There is nowhere to move to, so the VIP stays. Clients are refused at once: the machine is "
        "there, its API server is not.",
        _alone_api_dead,
        _refused,
        servers=1,
    ),
)
