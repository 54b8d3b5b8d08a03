"""How long the reading of a large bundle takes, and how much memory: a cell of `./dev bench why`."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

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


def measure(runs: int) -> dict[str, Any]:
    """Read the bundle so many times, each time in a fresh process."""
    found: dict[str, Any] = {"bytes": SIZE, "cells": {}}
    with tempfile.TemporaryDirectory() as folder:
        for name, loud in (("quiet", 0.001), ("loud", 0.1)):
            path = Path(folder) / f"{name}.tar.gz"
            _write(path, loud)
            played = [_once(path) for _ in range(runs)]
            found["cells"][name] = {
                "loud_lines": loud,
                "packed": path.stat().st_size,
                "runs": played,
            }
    return found


def line(found: dict[str, Any]) -> str:
    """The results in one line."""
    words = []
    for name, cell in found["cells"].items():
        seconds = median(run["seconds"] for run in cell["runs"])
        cpu = median(run["cpu_s"] for run in cell["runs"])
        memory = max(run["rss_mib"] for run in cell["runs"])
        words.append(
            f"{name} median {seconds:.2f} s ({cpu:.2f} s of a processor), max {memory:.0f} MiB"
        )
    return f"bundle of {found['bytes'] >> 20} MiB of logs: {'; '.join(words)}"


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
    words = [sys.executable, "-m", "bench.why", str(path)]
    out = subprocess.run(words, check=True, capture_output=True, text=True, timeout=600).stdout
    seconds, cpu, kib, facts = out.split()
    return {
        "seconds": float(seconds),
        "cpu_s": float(cpu),
        "rss_mib": int(kib) / 1024,
        "facts": int(facts),
    }


def main(path: Path) -> None:
    """Read one bundle and say how it went."""
    from vipkeeper.collect.read import read

    begun, spent = time.perf_counter(), time.process_time()
    facts = len(read(path, "192.0.2.105").facts)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - spent
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (peak,) = (words[1] for words in map(str.split, status.splitlines()) if words[0] == "VmHWM:")
    print(seconds, cpu, peak, facts)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
