"""Acts in which a daemon is stopped, starved, or started again. Played by name."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from vipkeeper.core.facts import FaultKind
from vipkeeper.lab.act import (
    AFTERWARDS,
    PATIENCE,
    Act,
    Group,
    answered,
    quiet,
    takeover,
)
from vipkeeper.lab.cluster import Server
from vipkeeper.lab.comeback import start_again
from vipkeeper.lab.fault import Fault, Mend, Part, Whose
from vipkeeper.lab.kernel import now
from vipkeeper.lab.leases import demand_time, patience
from vipkeeper.lab.stage import Stage

RESTART_AFTER = 0.5
"""Seconds between a daemon's death and its next start, well inside the kernel lease."""
STILLS = (0.2, 2.0)
"""Seconds for which a daemon stands still: shorter than what is left of its lease at any time."""
LOOPS_PER_CORE = 4


def _sigterm(stage: Stage) -> None:
    holder = stage.holder
    assert holder.daemon is not None
    stage.random_phase()
    stage.fault(f"daemon of {holder.name} gets SIGTERM", holder, kind=FaultKind.SHUTDOWN)
    holder.daemon.send_signal(signal.SIGTERM)
    stage.wait_answer(PATIENCE, other_than=holder)
    stage.recorder.watch(AFTERWARDS)


def _restart_in_lease(stage: Stage) -> None:
    holder = stage.holder
    stage.random_phase()
    _killed_and_back(stage, holder, RESTART_AFTER)
    stage.healed(f"daemon of {holder.name} is started again", holder)
    # Beyond the lease that the dead daemon left: only the new one can have renewed it.
    stage.recorder.watch(patience(stage, holder))


def _killed_and_back(stage: Stage, server: Server, after: float) -> None:
    """Kill a daemon, start it again so many seconds later, and wait until it says something.

    Raises:
        LabError: by then the lease may have been over.
        NothingShownError: it would be over before anybody can be back; nothing was done.
    """
    dead = server.daemon
    assert dead is not None
    demand_time(stage, server, after)
    stage.fault(f"daemon of {server.name} gets SIGKILL", server, kind=FaultKind.KILL)
    died = now()
    dead.signal_tree(signal.SIGKILL)
    stage.recorder.watch(after)
    start_again(stage, server, died, after)


def _stand_still(stage: Stage, server: Server) -> None:
    stage.random_phase()
    stage.stop_daemon(server, stage.rng.uniform(*STILLS))
    stage.recorder.watch(AFTERWARDS)


def _stall(stage: Stage) -> None:
    _stand_still(stage, stage.holder)


def _backup_stall(stage: Stage) -> None:
    holder = stage.holder
    backups = [server for server in stage.cluster.servers.values() if server is not holder]
    _stand_still(stage, stage.rng.choice(backups))


def _busy(stage: Stage) -> None:
    holder = stage.holder
    loops = LOOPS_PER_CORE * len(os.sched_getaffinity(0))
    stage.random_phase()
    stage.fault(f"{loops} busy loops on this machine's cores", holder)
    stage.cluster.load(loops)
    stage.recorder.watch(stage.seconds)
    stage.cluster.undo()
    stage.healed("the loops end", holder)
    stage.recorder.watch(AFTERWARDS)


def _without_daemon(stage: Stage) -> Mend:
    server = stage.subject
    assert server.daemon is not None
    stage.fault(f"daemon of {server.name} gets SIGTERM", server, kind=FaultKind.SHUTDOWN)
    server.daemon.send_signal(signal.SIGTERM)
    return lambda: stage.manager.start(server)


def _until_moved(stage: Stage) -> None:
    stage.wait_answer(PATIENCE, other_than=stage.subject)
    stage.recorder.watch(AFTERWARDS)


def back_after(seconds: float) -> Callable[[Stage], Mend]:
    """Dead, and started again inside the lease: then the lease is all that is left of the fault."""

    def begin(stage: Stage) -> Mend:
        _killed_and_back(stage, stage.subject, seconds)
        return lambda: None

    return begin


def beyond_the_lease(stage: Stage) -> None:
    """Only the new daemon can have renewed a VIP that is still there afterwards."""
    stage.recorder.watch(patience(stage, stage.subject))


def still(which: Callable[[Stage], Server]) -> Callable[[Stage], Mend]:
    """A daemon that stands still until it is mended."""

    def begin(stage: Stage) -> Mend:
        server = which(stage)
        daemon = server.daemon
        assert daemon is not None
        stage.fault(f"daemon of {server.name} stands still", server, kind=FaultKind.STALL)
        daemon.signal_tree(signal.SIGSTOP)
        return lambda: daemon.signal_tree(signal.SIGCONT)

    return begin


def _for_a_moment(stage: Stage) -> None:
    stage.recorder.watch(stage.rng.uniform(*STILLS))


def _loaded(stage: Stage) -> Mend:
    loops = LOOPS_PER_CORE * len(os.sched_getaffinity(0))
    stage.fault(f"{loops} busy loops on this machine's cores", stage.subject)
    stage.cluster.load(loops)
    return stage.cluster.unload


SIGTERM = Fault(Whose.HOLDER, Part.DAEMON, _without_daemon, _until_moved)
STALL = Fault(Whose.HOLDER, Part.DAEMON, still(lambda stage: stage.subject), _for_a_moment)
BACKUP_STALL = Fault(Whose.BACKUP, Part.DAEMON, still(Stage.backup), _for_a_moment)
BACK = Fault(Whose.HOLDER, Part.DAEMON, back_after(RESTART_AFTER), beyond_the_lease)
BUSY = Fault(Whose.LAN, Part.STRANGER, _loaded)

DAEMONS: tuple[Act, ...] = (
    Act(
        "sigterm",
        "The holder's daemon gets SIGTERM",
        "A clean stop, as an upgrade does it. The address leaves first, the successor is told and "
        "serves a moment later, then the daemon ends.",
        _sigterm,
        takeover,
        in_story=False,
        group=Group.DAEMON,
        numbers=(1,),
        expects="the VIP moves, none is left behind",
        fault=SIGTERM,
        smoke=True,
    ),
    Act(
        "restart-in-lease",
        "The holder's daemon dies and comes back",
        "SIGKILL, and a service manager starts the daemon again after half a second. Its kernel lease "
        "has not lapsed: the VIP stays where it is, and no client sees anything.",
        _restart_in_lease,
        answered,
        in_story=False,
        group=Group.DAEMON,
        numbers=(3,),
        expects="every datagram is answered; the VIP does not move",
        fault=BACK,
        smoke=True,
        most_moves=0,
    ),
    Act(
        "stall",
        "The holder's daemon stands still for a moment",
        "SIGSTOP for 0.2 to 2 s, as a paused machine or a stuck disk does it. The kernel goes on "
        "answering for the VIP within its lease, so nobody takes it.",
        _stall,
        answered,
        in_story=False,
        group=Group.DAEMON,
        numbers=(5,),
        expects="every datagram is answered; the VIP does not move",
        fault=STALL,
        smoke=True,
        most_moves=0,
    ),
    Act(
        "backup-stall",
        "A backup's daemon stands still for a moment",
        "SIGSTOP for 0.2 to 2 s on a server without the VIP. When it goes on it has heard nothing for "
        "long, and must not take its own pause for the holder's silence.",
        _backup_stall,
        answered,
        in_story=False,
        group=Group.DAEMON,
        numbers=(6,),
        expects="every datagram is answered; the VIP does not move",
        fault=BACKUP_STALL,
        most_moves=0,
    ),
    Act(
        "busy",
        "The machine is busy",
        "Four busy loops a core compete with all daemons. A daemon that gets its turn late must "
        "neither give the VIP up nor take it.",
        _busy,
        quiet,
        in_story=False,
        seconds=8.0,
        group=Group.TIME,
        numbers=(17,),
        expects="the VIP does not move",
        fault=BUSY,
        most_moves=0,
    ),
)
