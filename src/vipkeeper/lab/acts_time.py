"""Acts in which programs do not get to run: quotas, frozen groups, hogs, a pause of the interpreter."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from vipkeeper.lab import injected
from vipkeeper.lab.act import Act, Group, Runs
from vipkeeper.lab.acts_process import HOLDERS, daemon_of, inject, nothing
from vipkeeper.lab.cgroups import ControlGroup, Controller
from vipkeeper.lab.cluster import Server
from vipkeeper.lab.fault import Fault, Mend, Part, Whose
from vipkeeper.lab.must import QUIET, SETTLED, UNSEEN, moves, waits
from vipkeeper.lab.needs import CPU_GROUP, FREEZER_GROUP, REAL_TIME
from vipkeeper.lab.processes import Process, residents
from vipkeeper.lab.scenario import Extras, scenario
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.topology import LAN

_HOG = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))\nwhile True: pass"


def _threads(pids: list[int]) -> list[int]:
    found: list[int] = []
    for pid in pids:
        try:
            found += [int(name) for name in os.listdir(f"/proc/{pid}/task")]
        except OSError:
            continue  # it has just ended
    return found


def _without_real_time(pids: list[int]) -> None:
    """A quota does not bind what has real-time scheduling, and v1 groups do not take it."""
    for thread in _threads(pids):
        try:
            os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
        except ProcessLookupError:
            continue


def _quota(percent: int, which: Callable[[Stage], Server]) -> Callable[[Stage], Mend]:
    def begin(stage: Stage) -> Mend:
        server = which(stage)
        pids = daemon_of(server).tree()
        group = ControlGroup(Controller.CPU, f"{stage.cluster.owner}-cpu-{server.name}")
        stage.on_undo(group.remove)
        group.quota(percent)
        _without_real_time(pids)
        stage.fault(f"daemon of {server.name} may use {percent} % of a core", server)
        group.add(pids)
        return nothing

    return begin


def _frozen(stage: Stage) -> Mend:
    server = stage.subject
    group = ControlGroup(Controller.FREEZER, f"{stage.cluster.owner}-freezer-{server.name}")
    stage.on_undo(group.remove)
    group.add(residents(server.name))
    stage.fault(f"all programs on {server.name} are frozen", server)
    stage.on_undo(group.thaw)
    group.freeze()
    return nothing


def _hog(stage: Stage) -> Mend:
    cores = sorted(os.sched_getaffinity(0))
    hogs = max(1, len(cores) - 1)
    stage.fault(f"a real-time program takes {hogs} of {len(cores)} cores", stage.subject)
    log = stage.cluster.directory / "hog.log"
    running = [
        Process(LAN, ("taskset", "-c", str(core), "python3", "-c", _HOG), log)
        for core in cores[:hogs]
    ]

    def mend() -> None:
        for hog in running:
            hog.signal_tree(signal.SIGKILL)

    return mend


def _collects(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"daemon of {server.name} stands still to collect garbage", server)
    daemon_of(server).send_signal(injected.COLLECT)
    return nothing


def _starved(percent: int, must_move: int) -> Act:
    name = f"quota-{percent}"
    story = (
        f"A control group gives it {percent} % of a core, in slices of 100 ms. "
        + ("It runs late all the time, which is no reason to move." if not must_move else "")
        + ("That may be too little to live on; then the lease ends, once." if must_move else "")
    )
    must = (moves(must_move), waits(3), *SETTLED) if must_move else QUIET
    return scenario(
        name,
        f"The holder's daemon gets {percent} % of a core",
        story,
        Group.TIME,
        (15,),
        Fault(*HOLDERS, _quota(percent, lambda stage: stage.subject)),
        must,
        8.0,
        Extras(needs=(CPU_GROUP,), spoils=True),
    )


TIME: tuple[Act, ...] = (
    _starved(20, 0),
    _starved(10, 0),
    _starved(5, 1),
    scenario(
        "backup-quota",
        "A backup's daemon gets 10 % of a core",
        "It hears the holder late all the time, and must not take its own lateness for silence.",
        Group.TIME,
        (16,),
        Fault(Whose.BACKUP, Part.DAEMON, _quota(10, Stage.backup)),
        UNSEEN,
        8.0,
        Extras(needs=(CPU_GROUP,), spoils=True),
    ),
    scenario(
        "hog",
        "A real-time program takes the cores",
        "A loop with SCHED_FIFO on all cores but one, for 3 s: nothing of normal priority runs there.",
        Group.TIME,
        (18,),
        Fault(Whose.LAN, Part.DAEMON, _hog),
        QUIET,
        3.0,
        Extras(needs=(REAL_TIME,)),
    ),
    scenario(
        "frozen",
        "All programs of the holder's machine stand still",
        "The freezer of its control group, for 1 s, as a machine that is moved or saved. Its kernel answers on.",
        Group.TIME,
        (19,),
        Fault(Whose.HOLDER, Part.POWER, _frozen),
        (*QUIET, waits(3)),
        1.0,
        Extras(needs=(FREEZER_GROUP,), smoke=True),
    ),
    scenario(
        "garbage",
        "The interpreter of the holder's daemon collects garbage",
        "Two million cycles of objects at once: the daemon stands still within its own process.",
        Group.TIME,
        (20,),
        Fault(*HOLDERS, _collects),
        QUIET,
        4.0,
        Extras(managers=Runs.VIPKEEPER, prepare=inject),
    ),
)
"""Played by name."""
