"""What each manager costs while nothing happens, and how long `vipkeeper --help` takes."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import results
from bench.contenders import CONTENDERS, Contender
from bench.figures import summary
from bench.started import ProgramError, boxed, finish

from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.managers import MANAGERS, Manager, Vipkeeper
from vipkeeper.lab.processes import LabError, Process, in_namespace
from vipkeeper.lab.recorder import Recorder
from vipkeeper.lab.stage import Stage
from vipkeeper.lab.topology import lan

HELP_RUNS = 20
PATIENCE = 60.0
"""Seconds after which `--help` counts as hung."""


def measure(seconds: float) -> dict[str, Any]:
    """Memory and processor time of keeper and prober on each of three servers, and `--help`."""
    return {"conditions": results.conditions(), "help_ms": help_time()} | _played(
        CONTENDERS["vipkeeper"], seconds
    )


def measure_all(names: Sequence[str], seconds: float) -> dict[str, Any]:
    """The same of each of these contenders that is there."""
    asked = [CONTENDERS[name] for name in names]
    return {
        one.name: {"conditions": results.conditions()} | _played(one, seconds)
        for one in asked
        if not one.missing
    }


def _played(contender: Contender, seconds: float) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        boxed(lambda directory: _inside(directory, contender, seconds))
    )
    return found


def help_time() -> dict[str, Any]:
    """Whole processes, milliseconds; every run."""
    times = []
    for _ in range(HELP_RUNS):
        begin = time.perf_counter()
        finish([sys.executable, "-m", "vipkeeper", "--help"], timeout=PATIENCE)
        times.append(round((time.perf_counter() - begin) * 1000, 3))
    return summary(times) | {"runs": times}


def at_rest(directory: Path, manager: Manager) -> tuple[Cluster, Server]:
    """Three servers, healthy and without traces, and their holder; nobody probes the VIP.

    Raises:
        LabError: the cluster does not become healthy.
    """
    cluster = Cluster(lan(3), directory / "cluster")
    cluster.build()
    if isinstance(manager, Vipkeeper):
        manager.traced = False
    manager.prepare(cluster)
    recorder = Recorder(cluster.network, directory / "probes")
    stage = Stage(cluster, recorder, manager, random.Random(0))
    if ill := stage.heal():
        raise LabError(f"the cluster is not healthy: {ill}")
    holder = stage.holder
    recorder.close()
    return cluster, holder


def _inside(directory: Path, contender: Contender, seconds: float) -> bytes:
    cluster, server = at_rest(directory, MANAGERS[contender.manager](100, style=contender.style))
    holder = server.name
    time.sleep(5.0)
    daemons = {name: server.daemon for name, server in cluster.servers.items() if server.daemon}
    _all_run(daemons)
    before = {name: _ticks(daemon) for name, daemon in daemons.items()}
    begin = time.monotonic()
    time.sleep(seconds)
    lasted = time.monotonic() - begin
    _all_run(daemons)
    per_second = os.sysconf("SC_CLK_TCK")
    servers = {
        name: {
            "holder": name == holder,
            "cpu_percent": round(
                100 * (_ticks(daemon) - before[name]) / per_second / lasted, 3
            ),
            "processes": [size for pid in daemon.tree() if (size := _memory(pid))],
        }
        for name, daemon in daemons.items()
    }  # fmt: skip
    return json.dumps({"seconds": round(lasted, 3), "servers": servers}).encode()


def _all_run(daemons: Mapping[str, Process]) -> None:
    """See that nobody has ended, who costs nothing.

    Raises:
        ProgramError: one has.
    """
    for name, daemon in daemons.items():
        if not daemon.running:
            said = daemon.last_words(1)
            raise ProgramError.gone([*in_namespace(name, *daemon.words)], said)


def _ticks(daemon: Process) -> int:
    """Processor time of a daemon's processes so far, in the kernel's ticks (proc(5), utime to cstime).

    What has ended and was waited for counts as well: a check script lives for milliseconds.
    """
    total = 0
    for pid in daemon.tree():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # a check script that has just ended
        total += sum(map(int, fields[11:15]))
    return total


def _memory(pid: int) -> dict[str, Any] | None:
    """Resident and proportional set size of a process, KiB (proc(5), smaps_rollup); None: it has just ended."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        role = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in rollup[1:]}
    if "vipkeeper" in words:
        role = "prober" if "prober" in words else "keeper"
    return {"role": role, "rss_kib": sizes["Rss"], "pss_kib": sizes["Pss"]}
