"""Acts in which a daemon is killed, broken from within, restarted or given other settings."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Callable

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab import descriptors, injected, traces
from vipkeeper.lab.act import PATIENCE, Act, Group, Runs
from vipkeeper.lab.cgroups import ControlGroup, Controller
from vipkeeper.lab.cluster import Server
from vipkeeper.lab.fault import AFTERWARDS, Fault, Mend, Part, Whose
from vipkeeper.lab.kernel import now
from vipkeeper.lab.leases import patience
from vipkeeper.lab.managers import SECOND
from vipkeeper.lab.measure import Window
from vipkeeper.lab.must import BUDGET, SETTLED, TAKEOVER, UNSEEN, moves, waits
from vipkeeper.lab.needs import MEMORY_GROUP
from vipkeeper.lab.processes import LabError, Process, send
from vipkeeper.lab.scenario import Extras, scenario
from vipkeeper.lab.stage import Stage

OOM_LIMIT = 48 << 20
"""Bytes; far less than what `injected.COLLECT` asks for."""
CRASH_EVERY = 2.0
RESTART_AFTER = 0.3
SETTLES_WITHIN = 15.0
CHECKED_WITHIN = 12.0
"""Seconds in which the prober needs a new connection: one is used for 10 s."""
NO_DESCRIPTOR = os.strerror(errno.EMFILE).lower().encode()
"""As a check says that it could not be made."""


def nothing() -> None:
    """What broke stays broken: the cluster is mended between acts."""


def daemon_of(server: Server) -> Process:
    """The daemon that runs on a server.

    Raises:
        LabError: none does.
    """
    if server.daemon is None or not server.daemon.running:
        raise LabError(f"no daemon runs on {server.name}")
    return server.daemon


def until_moved(stage: Stage) -> None:
    """Wait until the VIP has left the server and another one answers."""
    stage.wait_gone(stage.subject, patience(stage, stage.subject))
    stage.wait_answer(PATIENCE, other_than=stage.subject)
    stage.wait_service(PATIENCE)
    stage.recorder.watch(AFTERWARDS)


def inject(stage: Stage) -> None:
    """Start all daemons anew, so that signals break them from within."""
    words = injected.wrapper(stage.cluster.directory)
    start_anew(stage, lambda _: words)


def start_anew(stage: Stage, wrapper: Callable[[Server], tuple[str, ...]]) -> None:
    """Start all daemons anew, each behind the words that `wrapper` gives."""
    for server in stage.cluster.servers.values():
        server.wrapper += wrapper(server)
        restart(stage, server)


def restart(stage: Stage, server: Server) -> None:
    """Stop a daemon cleanly and start it again."""
    daemon = daemon_of(server)
    if not daemon.terminate():
        daemon.signal_tree(signal.SIGKILL)
    stage.manager.start(server)


def _signal(number: signal.Signals) -> Callable[[Stage], Mend]:
    def begin(stage: Stage) -> Mend:
        server = stage.subject
        stage.fault(f"daemon of {server.name} gets {number.name}", server)
        daemon_of(server).send_signal(number)
        return nothing

    return begin


def _prober_killed(stage: Stage) -> Mend:
    server = stage.subject
    children = daemon_of(server).tree()[1:]
    if not children:
        raise LabError(f"the daemon of {server.name} has no other process")
    stage.fault(f"the processes below the daemon of {server.name} get SIGKILL", server)
    send(children, signal.SIGKILL)
    return nothing


def _backups_stopped(stage: Stage) -> Mend:
    stage.fault(
        "the daemons of all other servers stand still", *stage.backups(), kind=FaultKind.STALL
    )
    stopped = [daemon_of(server) for server in stage.backups()]
    for daemon in stopped:
        daemon.signal_tree(signal.SIGSTOP)

    def mend() -> None:
        for daemon in stopped:
            daemon.signal_tree(signal.SIGCONT)

    return mend


def _out_of_memory(stage: Stage) -> Mend:
    server = stage.subject
    daemon = daemon_of(server)
    group = ControlGroup(Controller.MEMORY, f"{stage.cluster.owner}-memory")
    stage.on_undo(group.remove)
    group.limit(OOM_LIMIT)
    group.add([daemon.pid])
    stage.fault(f"daemon of {server.name} asks for more memory than it may have", server)
    daemon.send_signal(injected.COLLECT)
    return nothing


def _no_descriptors(stage: Stage) -> Mend:
    server = stage.subject
    daemon = daemon_of(server)
    limits = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    stage.on_undo(lambda: descriptors.give_back(daemon.tree(), limits))
    began = now()
    stage.fault(f"daemon of {server.name} can open nothing more", server)
    descriptors.take_last(daemon.tree())

    def mend() -> None:
        free = descriptors.take_last(daemon.tree())
        stage.effect("no descriptor is free", f"{len(free)} processes have one", met=not free)
        answered = stage.manager.answers(server)
        if answered is not None:
            found = "the daemon answers" if answered else "no answer"
            stage.effect("nobody can ask the daemon", found, met=not answered)
        if stage.manager.traced and now() - began > CHECKED_WITHIN * SECOND:
            window = Window(began, now())
            checks = traces.said(stage.cluster, server.name, window, NO_DESCRIPTOR)
            stage.effect("health checks cannot be made", f"{checks} of them", met=checks > 0)

    return mend


def _opens_nothing(stage: Stage) -> None:
    """What it closes meanwhile is taken from it too: a connection that is renewed would have room again."""
    daemon = daemon_of(stage.subject)

    def over() -> bool:
        descriptors.take_last(daemon.tree())
        return False

    stage.recorder.wait(over, stage.seconds)


def _crash_loop(stage: Stage) -> None:
    server, left = stage.subject, stage.seconds
    while left > 0:
        if server.daemon is not None and server.daemon.running:
            server.daemon.signal_tree(signal.SIGKILL)
        stage.recorder.watch(RESTART_AFTER)
        stage.manager.start(server)
        stage.recorder.watch(CRASH_EVERY - RESTART_AFTER)
        left -= CRASH_EVERY


def _crashes(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"daemon of {server.name} dies every {CRASH_EVERY:g} s", server)
    return nothing


def _rolls(stage: Stage) -> Mend:
    stage.fault("the daemons are started anew one after the other", stage.subject)
    return nothing


def _rolling(stage: Stage) -> None:
    for server in (*stage.backups(), stage.subject):
        restart(stage, server)
        settles(stage)


def settles(stage: Stage) -> bool:
    """Wait until one server has the VIP and all know of each other; whether it came to that."""

    def settled() -> bool:
        holding = stage.recorder.holding
        return len(holding) == 1 and all(
            stage.manager.settled(server, stage.cluster, holding)
            for server in stage.cluster.servers.values()
        )

    return stage.recorder.wait(settled, SETTLES_WITHIN)


VIPKEEPER = Extras(managers=Runs.VIPKEEPER)
INJECTED = Extras(managers=Runs.VIPKEEPER, prepare=inject)
HOLDERS = (Whose.HOLDER, Part.DAEMON)

PROCESS: tuple[Act, ...] = (
    scenario(
        "keeper-killed",
        "Only the daemon's first process gets SIGKILL",
        "Its other processes live on for a moment. What counts is that nobody renews the lease: the VIP "
        "leaves, and nothing of the daemon stays.",
        Group.DAEMON,
        (4,),
        Fault(*HOLDERS, _signal(signal.SIGKILL), until_moved),
        TAKEOVER,
    ),
    scenario(
        "prober-killed",
        "Only the daemon's other processes get SIGKILL",
        "The holder's prober dies. Health is unknown for a moment, and what is unknown moves nothing.",
        Group.DAEMON,
        (4,),
        Fault(*HOLDERS, _prober_killed),
        UNSEEN,
        5.0,
        VIPKEEPER,
    ),
    scenario(
        "backups-stopped",
        "All other servers' daemons stand still",
        "SIGSTOP for 5 s on everyone but the holder, which hears nobody meanwhile and is answered by its "
        "gateway. When they go on, none of them may take its own pause for the holder's silence.",
        Group.DAEMON,
        (7,),
        Fault(Whose.BACKUP, Part.DAEMON, _backups_stopped),
        UNSEEN,
        5.0,
    ),
    scenario(
        "daemon-segv",
        "The holder's daemon dies of SIGSEGV",
        "As a fault in a library kills it: no chance to clean up. As with SIGKILL, the lease does that.",
        Group.DAEMON,
        (8,),
        Fault(*HOLDERS, _signal(signal.SIGSEGV), until_moved),
        TAKEOVER,
    ),
    scenario(
        "daemon-oom",
        "The kernel kills the holder's daemon for want of memory",
        "A control group with a limit, and a daemon that asks for more.",
        Group.DAEMON,
        (9,),
        Fault(*HOLDERS, _out_of_memory, until_moved),
        TAKEOVER,
        0.0,
        Extras(managers=Runs.VIPKEEPER, prepare=inject, needs=(MEMORY_GROUP,)),
    ),
    scenario(
        "daemon-exception",
        "An exception nobody expected",
        "It is raised in the middle of the holder's daemon. The VIP leaves before the daemon ends.",
        Group.DAEMON,
        (10,),
        Fault(*HOLDERS, _signal(injected.RAISE), until_moved),
        TAKEOVER,
        0.0,
        INJECTED,
    ),
    scenario(
        "no-descriptors",
        "The holder's daemon can open no more files",
        "RLIMIT_NOFILE is what it has open already. What needs a new descriptor fails: nobody can ask the daemon, and "
        "its prober cannot renew the connection to the API server after 10 s. A check that cannot be made says "
        "nothing of the API server.",
        Group.DAEMON,
        (11,),
        Fault(*HOLDERS, _no_descriptors, _opens_nothing),
        (moves(1), waits(3), *SETTLED),
        14.0,
    ),
    scenario(
        "crash-loop",
        "The holder's daemon dies every two seconds",
        "SIGKILL, a new start after 0.3 s, and again. Each start finds its lease and goes on; where one comes too "
        "late the VIP may move, but not more often than the budget allows.",
        Group.DAEMON,
        (12,),
        Fault(*HOLDERS, _crashes, _crash_loop),
        (moves(BUDGET), waits(3), *SETTLED),
        16.0,
        Extras(after=4.0),
    ),
    scenario(
        "rolling-restart",
        "All daemons are restarted one by one, the holder's last",
        "As an upgrade does it, here to the same version.",
        Group.DAEMON,
        (13,),
        Fault(Whose.ALL, Part.DAEMON, _rolls, _rolling),
        (moves(1), waits(3), *SETTLED),
    ),
)
"""Played by name."""
