"""How long `vipkeeper why` takes: over a large bundle, and live on one server (`why_live.py`)."""

from __future__ import annotations

import io
import os
import random
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench import results, started, why_live
from bench.figures import summary
from bench.targets import why_findings

MADE = 1795747413
SIZE = 200 << 20
_QUIET = (
    'Nov 27 02:%02d:%02d cp1 rke2[1234]: time="2026-11-27T02:43:33Z" level=info msg="Handling backend '
    'connection request [node%d]"',
    "Nov 27 02:%02d:%02d cp1 rke2[1234]: I1127 02:43:33.%06d 1234 event.go:389] Event occurred "
    'object="kube-system/kube-vip-cp1" kind="Pod" type="Normal" reason="Pulled" message="Container '
    'image already present on machine"',
    'Nov 27 02:%02d:%02d cp1 etcd: {"level":"info","caller":"mvcc/kvstore_compaction.go:68","msg":'
    '"finished scheduled compaction","compact-revision":%d,"took":"12.3ms","hash":3423412}',
    "Nov 27 02:%02d:%02d cp1 kubelet[1300]: E1127 02:43:33.%06d 1300 pod_workers.go:1298] Error syncing "
    'pod, skipping err="failed to StartContainer with ImagePullBackOff" pod="default/web-7c5ddbdf54"',
)
_LOUD = (
    'Nov 27 02:%02d:%02d cp1 rke2[1234]: {"msg":"retrying of unary invoker failed %d","error":'
    '"rpc error: code = Unavailable desc = etcdserver: request timed out"}',
    "Nov 27 02:%02d:%02d cp1 kube-vip: E1127 02:43:33.%06d 1 leaderelection.go:330] error retrieving "
    "resource lock kube-system/plndr-cp-lock: etcdserver: request timed out",
)


PATIENCE = 600.0
"""Seconds after which reading a bundle counts as hung."""
LOUDNESS = {"quiet": 0.001, "loud": 0.1}
"""The bundles, and which share of their lines has a message of the table."""
LIVE_RUNS = 10


def measure(scale: float) -> dict[str, Any]:
    """Bundles, each run in a fresh process, and then live."""
    found: dict[str, Any] = {"conditions": results.conditions(), "bytes": SIZE, "cells": {}}
    runs = max(1, round(5 * scale))
    with tempfile.TemporaryDirectory() as folder:
        for name, loud in LOUDNESS.items():
            path = Path(folder) / f"{name}.tar.gz"
            _write(path, loud)
            played = [_once(path) for _ in range(runs)]
            found["cells"][name] = {
                "loud_lines": loud,
                "packed": path.stat().st_size,
                "runs": played,
            }
    return found | {"live": why_live.measure(max(1, round(LIVE_RUNS * scale)))}


def line(found: dict[str, Any]) -> str:
    """One line on stdout."""
    return "; ".join(f"{text}: {f.verdict} ({f.found})" for text, f in why_findings(found))


def section(found: dict[str, Any] | None) -> str:
    """The part of the page."""
    if not found:
        return "## why\n\nReading a large bundle, and looking about live: not measured.\n"
    at = found["conditions"]
    text = f"## why\n\nCommit {at['commit']}, Python {at['python']}, {at['cores']} cores, load {at['load']} at the start. "
    text += "Seconds; processor time is user and system together. The floor of a bundle is the processor time of "
    text += "gzip and tar alone. Live are whole processes, start-up with them.\n\n"
    text += (
        "| what | n | wall min | wall p50 | wall max | processor p50 | floor p50 | RSS max, MiB |\n"
    )
    text += "|" + " --- |" * 8 + "\n"
    for name in LOUDNESS:
        runs = found["cells"][name]["runs"]
        floor = f"{median(run['floor_s'] for run in runs):.2f}"
        memory = f"{max(run['rss_mib'] for run in runs):.0f}"
        text += _row(f"bundle of {found['bytes'] >> 20} MiB, {name}", runs, floor, memory)
    for name in ("healthy", "dead"):
        text += _row(f"live, {name}", found["live"][name], "", "")
    return text


def _row(what: str, runs: list[dict[str, Any]], *rest: str) -> str:
    wall, cpu = summary(run["seconds"] for run in runs), summary(run["cpu_s"] for run in runs)
    times = [f"{value:.2f}" for value in (wall["min"], wall["p50"], wall["max"], cpu["p50"])]
    return f"| {' | '.join([what, str(wall['n']), *times, *rest])} |\n"


def _write(path: Path, loud: float) -> None:
    rng = random.Random(1)
    lines = []
    for _ in range(20_000):
        form = rng.choice(_LOUD if rng.random() < loud else _QUIET)
        lines.append(form % (rng.randrange(44), rng.randrange(60), rng.randrange(10**6)))
    block = ("\n".join(lines) + "\n").encode()
    with tarfile.open(path, "w:gz", compresslevel=6) as packed:
        for name, text in (
            ("systeminfo/hostname", b"cp1\n"),
            ("systeminfo/date", b"Fri Nov 27 02:43:33 UTC 2026\n"),
            ("journald/rke2-server", block * (SIZE // len(block))),
        ):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(text), MADE
            packed.addfile(info, io.BytesIO(text))


def _once(path: Path) -> dict[str, float]:
    done = started.finish([sys.executable, "-m", "bench.why", str(path)], timeout=PATIENCE)
    seconds, cpu, floor, kib, facts = done.stdout.split()
    return {
        "seconds": float(seconds),
        "cpu_s": float(cpu),
        "floor_s": float(floor),
        "load": round(os.getloadavg()[0], 2),
        "rss_mib": int(kib) / 1024,
        "facts": int(facts),
    }


def main(path: Path) -> None:
    """Read one bundle and say how it went; the floor afterwards, from a file that is in memory as before."""
    from vipkeeper.collect.read import read

    begun, spent = time.perf_counter(), time.process_time()
    facts = len(read(path, "192.0.2.105").facts)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - spent
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (peak,) = (words[1] for words in map(str.split, status.splitlines()) if words[0] == "VmHWM:")
    print(seconds, cpu, _floor(path), peak, facts)


def _floor(path: Path) -> float:
    """Processor time of gzip and tar alone."""
    from vipkeeper.collect.archive import members
    from vipkeeper.collect.reading import Troubles

    spent = time.process_time()
    with path.open("rb") as file:
        for member in members(file, Troubles()):
            for _ in member.content:
                pass
    return time.process_time() - spent


if __name__ == "__main__":
    main(Path(sys.argv[1]))
