"""What the daemons of a cluster wrote down during an act: their traces, all of one kernel's clock."""

from __future__ import annotations

from pathlib import Path

from vipkeeper.core.trace import TraceRecord, parse
from vipkeeper.lab.cluster import Cluster
from vipkeeper.lab.measure import Window

TRACE = "trace.ndjson"
"""Name of a daemon's trace in its server's directory."""
WANTED = {"Header", "Transition", "AddressesDone", "Announce"}
"""Types of record that pictures need; adverts are most of a trace."""


def marks(cluster: Cluster) -> dict[str, int]:
    """How long each trace is now, so that an act reads only what is its own."""
    return {name: _size(server.directory / TRACE) for name, server in cluster.servers.items()}


def read(cluster: Cluster, since: dict[str, int], window: Window) -> dict[str, list[TraceRecord]]:
    """The records of each server that lie in the window; a server without a trace has none."""
    return {
        name: _records(server.directory / TRACE, since.get(name, 0), window)
        for name, server in cluster.servers.items()
    }


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _records(path: Path, offset: int, window: Window) -> list[TraceRecord]:
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(offset)
        found = (parse(line) for line in file if any(name in line for name in _BYTES))
        return [
            record
            for record in found
            if isinstance(record, TraceRecord) and record.type in WANTED and record.at in window
        ]


_BYTES = [f'"type":"{name}"'.encode() for name in WANTED]
