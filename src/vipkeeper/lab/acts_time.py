"""Acts in which programs do not get to run: quotas, frozen groups, hogs, a pause of the interpreter."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from vipkeeper.lab import injected, traces
from vipkeeper.lab.act import MILLISECOND, Act, Group, Runs, ms
from vipkeeper.lab.acts_process import HOLDERS, daemon_of, inject, nothing
from vipkeeper.lab.cgroups import ControlGroup, Controller
from vipkeeper.lab.cluster import Server
from vipkeeper.lab.fault import Fault, Mend, Part, Whose
from vipkeeper.lab.kernel import now
from vipkeeper.lab.managers import SECOND
from vipkeeper.lab.measure import Window
from vipkeeper.lab.must import QUIET, SETTLED, UNSEEN, moves, waits
from vipkeeper.lab.needs import CPU_GROUP, FREEZER_GROUP, REAL_TIME
from vipkeeper.lab.processes import Process, kill_all, residents
from vipkeeper.lab.scenario import Extras, scenario
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.topology import LAN

BUSY_LOOP = ("sh", "-c", "while :; do :; done")
LEAST_SHARE = 0.1
"""Of its time a quota must hold back, or a hog must run, to count as there: other programs want to run as well."""
LEAST_PAUSE = 300 * MILLISECOND
"""What a collection of garbage must take at least: longer than it takes to suspect a holder."""
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
    """A daemon at rest needs less than any quota: a busy loop in its group uses up what there is."""

    def begin(stage: Stage) -> Mend:
        server = which(stage)
        pids = daemon_of(server).tree()
        group = ControlGroup(Controller.CPU, f"{stage.cluster.owner}-cpu-{server.name}")
        stage.on_undo(group.remove)
        group.quota(percent)
        _without_real_time(pids)
        rival = server.run("rival", *BUSY_LOOP)
        stage.on_undo(lambda: rival.signal_tree(signal.SIGKILL))
        stage.fault(f"daemon of {server.name} may use {percent} % of a core", server)
        group.add([*pids, rival.pid])
        began = now()

        def mend() -> None:
            held, lasted = group.held_back(), (now() - began) / SECOND
            found = f"{held:.1f} s of {lasted:.1f} s"
            stage.effect("the quota holds its group back", found, met=held > lasted * LEAST_SHARE)

        return mend

    return begin


def _frozen(stage: Stage) -> Mend:
    server = stage.subject
    group = ControlGroup(Controller.FREEZER, f"{stage.cluster.owner}-freezer-{server.name}")
    stage.on_undo(group.remove)
    group.add(residents(server.name))
    stage.fault(f"all programs on {server.name} are frozen", server)
    stage.on_undo(group.thaw)
    group.freeze()
    still = len(group.members())
    stage.effect("programs stand still", f"{still} of them", met=still > 0)
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

    began = now()

    def mend() -> None:
        lasted = (now() - began) / SECOND
        for hog in running:
            found = f"{hog.ran:.1f} s of {lasted:.1f} s"
            stage.effect(
                "the real-time program has its core", found, met=hog.ran > lasted * LEAST_SHARE
            )
        kill_all(running)

    return mend


def _collects(stage: Stage) -> Mend:
    server = stage.subject
    stage.fault(f"daemon of {server.name} stands still to collect garbage", server)
    daemon_of(server).send_signal(injected.COLLECT)
    began = now()

    def mend() -> None:
        still = traces.longest_silence(stage.cluster, server.name, Window(began, now()))
        stage.effect("the daemon stands still", ms(still), met=still > LEAST_PAUSE)

    return mend


def _starved(percent: int, must_move: int) -> Act:
    name = f"quota-{percent}"
    story = (
        f"A control group gives it and a busy loop {percent} % of a core, in slices of 100 ms. "
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
        "Beside a busy loop in the same group. It hears the holder late all the time, and must not take its own "
        "lateness for silence.",
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
        Fault(Whose.LAN, Part.STRANGER, _hog),
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
        Fault(Whose.HOLDER, Part.DAEMON, _frozen, also=(Part.API,)),
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
