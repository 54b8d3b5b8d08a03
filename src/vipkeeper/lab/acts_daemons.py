"""Acts in which a daemon is stopped, starved, or started again. Played by name."""

from __future__ import annotations

import os
import signal

from vipkeeper.lab.act import AFTERWARDS, LEASE_PATIENCE, PATIENCE, Act, answered, quiet, takeover
from vipkeeper.lab.cluster import Server
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
    stage.fault(f"daemon of {holder.name} gets SIGTERM", holder)
    holder.daemon.send_signal(signal.SIGTERM)
    stage.wait_answer(PATIENCE, other_than=holder)
    stage.recorder.watch(AFTERWARDS)


def _restart_in_lease(stage: Stage) -> None:
    holder = stage.holder
    assert holder.daemon is not None
    stage.random_phase()
    stage.fault(f"daemon of {holder.name} gets SIGKILL", holder)
    holder.daemon.signal_tree(signal.SIGKILL)
    stage.recorder.watch(RESTART_AFTER)
    stage.manager.start(holder)
    stage.healed(f"daemon of {holder.name} is started again", holder)
    # Beyond the lease that the dead daemon left: only the new one can have renewed it.
    stage.recorder.watch(LEASE_PATIENCE)


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


DAEMONS: tuple[Act, ...] = (
    Act(
        "sigterm",
        "The holder's daemon gets SIGTERM",
        "A clean stop, as an upgrade does it. The address leaves first, the successor is told and "
        "serves a moment later, then the daemon ends.",
        _sigterm,
        takeover,
        in_story=False,
    ),
    Act(
        "restart-in-lease",
        "The holder's daemon dies and comes back",
        "SIGKILL, and a service manager starts the daemon again after half a second. Its kernel lease "
        "has not lapsed: the VIP stays where it is, and no client sees anything.",
        _restart_in_lease,
        answered,
        in_story=False,
    ),
    Act(
        "stall",
        "The holder's daemon stands still for a moment",
        "SIGSTOP for 0.2 to 2 s, as a paused machine or a stuck disk does it. The kernel goes on "
        "answering for the VIP within its lease, so nobody takes it.",
        _stall,
        answered,
        in_story=False,
    ),
    Act(
        "backup-stall",
        "A backup's daemon stands still for a moment",
        "SIGSTOP for 0.2 to 2 s on a server without the VIP. When it goes on it has heard nothing for "
        "long, and must not take its own pause for the holder's silence.",
        _backup_stall,
        answered,
        in_story=False,
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
    ),
)
