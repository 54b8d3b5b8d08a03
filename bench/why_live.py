"""How long `vipkeeper why` looks about on one server: where all is well, and where nothing answers."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bench.rest import at_rest
from bench.started import boxed, finish, json_of

from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.errors import ExitCode
from vipkeeper.lab.cluster import Cluster, Server
from vipkeeper.lab.managers import Vipkeeper
from vipkeeper.lab.processes import LabError, command, environment, in_namespace

PATIENCE = 60.0
"""Seconds after which a run counts as hung."""
_DROP = "add table inet away; add chain inet away in { type filter hook input priority 0; policy drop; }"


def measure(runs: int) -> dict[str, Any]:
    """So many whole processes of each: *healthy*, and *dead*.

    In *dead* no host has the VIP, every other server drops what comes in without a word (ARP is still
    answered, so that connections run into their limits of time), and the API server of this one takes
    connections and never answers.
    """
    found: dict[str, Any] = json.loads(boxed(lambda directory: _inside(directory, runs)))
    return found


def compiled(folder: Path) -> dict[str, str]:
    """Byte code in a folder of its own, which a first run fills: as it is after an installation."""
    variables = {k: v for k, v in environment().items() if k != "PYTHONDONTWRITEBYTECODE"}
    return variables | {"PYTHONPYCACHEPREFIX": str(folder / "byte-code")}


def _inside(directory: Path, runs: int) -> bytes:
    cluster, holder = at_rest(directory, Vipkeeper(100))
    asked = next(server for server in cluster.servers.values() if server is not holder)
    found = {"healthy": _runs(cluster, asked, runs, "open")}
    _let_all_die(cluster, asked)
    found["dead"] = _runs(cluster, asked, runs, "silent")
    return json.dumps(found).encode()


def _let_all_die(cluster: Cluster, asked: Server) -> None:
    for server in cluster.servers.values():
        if server.daemon:
            server.daemon.signal_tree(signal.SIGKILL)
        cluster.drop_vip(server)
        if server is not asked:
            command(*in_namespace(server.name, "nft", _DROP))
    if asked.standin:
        asked.standin.signal_tree(signal.SIGSTOP)


def _runs(cluster: Cluster, asked: Server, runs: int, others: str) -> list[dict[str, Any]]:
    """One run that does not count, for byte code and caches, and those that do."""
    return [_once(cluster, asked, others) for _ in range(runs + 1)][1:]


def _once(cluster: Cluster, asked: Server, others: str) -> dict[str, Any]:
    """One process: wall clock and processor time in seconds, children's included, and its verdict."""
    servers = ",".join(f"{m.name}={m.address.ip}" for m in cluster.network.servers)
    kept = cluster.directory / "kept.facts"
    words = (str(cluster.network.vip), "--servers", servers, "--keep", str(kept))
    why = (sys.executable, "-m", "vipkeeper", "why", *words, "--output", "json")
    begin, before = time.perf_counter(), os.times()
    done = finish(
        in_namespace(asked.name, *why),
        timeout=PATIENCE,
        accepted=(ExitCode.OK, ExitCode.FINDINGS, ExitCode.UNDETERMINED),
        env=compiled(cluster.directory),
    )
    wall, after = time.perf_counter() - begin, os.times()
    facts = [json.loads(text) for text in kept.read_text(encoding="utf-8").splitlines()]
    seen = {f.get("value") for f in facts if f["key"] == Key.SERVER_PORT.word}
    if others not in seen:
        raise LabError(f"the other servers' ports were expected to be {others}, and are {seen}")
    return {
        "seconds": round(wall, 3),
        "cpu_s": round(
            after.children_user + after.children_system - before.children_user - before.children_system, 3
        ),
        "load": round(os.getloadavg()[0], 2),
        "facts": len(facts),
        "verdict": json_of(done)["verdict"],
    }  # fmt: skip
