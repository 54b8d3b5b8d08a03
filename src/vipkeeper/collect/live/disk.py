"""The disk with the datastore. That it is full is one thing, etcd's alarm about its quota (/health) another."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from ipaddress import ip_address

from vipkeeper.collect.collector import Collector
from vipkeeper.collect.live.control_plane import LOOPBACK, LOOPBACK6
from vipkeeper.collect.target import Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import Privilege
from vipkeeper.diagnose.vocabulary import Key
from vipkeeper.wire.types import IPAddress

ETCD = (
    "/var/lib/rancher/rke2/server/db/etcd",
    "/var/lib/rancher/k3s/server/db/etcd",
    "/var/lib/etcd",
)
DATA = (*ETCD, "/var/lib/rancher/k3s/server/db")
"""Where the datastore is, the last one that of SQLite."""
_PEER = re.compile(r"https?://\[?([0-9A-Fa-f:.]{2,45})\]?:2380\b")
SEGMENT = 64_000_000
"""Bytes: etcd sets aside so many for each file of its log, and stops where it cannot (server/storage/wal)."""


def look_at_disk(target: Target) -> Iterator[Fact]:
    """Whether etcd was in a cluster before, and whether its disk has room for another file of its log."""
    folders = [path for name in ETCD if (path := target.path(name)).is_dir()]
    wal = next((path / "member/wal" for path in folders if (path / "member/wal").is_dir()), None)
    source = str(wal) if wal else ", ".join(map(str, folders)) or ", ".join(ETCD)
    yield target.of_own(Key.ETCD_DATA, wal is not None, source)
    yield from _own_address(target)
    data = next((path for name in DATA if (path := target.path(name)).is_dir()), None)
    if data is None:
        return
    state = os.statvfs(data)
    free = state.f_bfree * state.f_frsize
    none_left = state.f_files > 0 and state.f_ffree == 0
    raw = f"{free >> 20} MiB and {state.f_ffree} inodes free"
    yield target.of_own(Key.DISK_FULL, free < SEGMENT or none_left, f"statvfs {data}", raw=raw)


def _own_address(target: Target) -> Iterator[Fact]:
    """Whether this server took the VIP for its own address: RKE2 and k3s write it into etcd's configuration."""
    for path in (target.path(f"{name}/config") for name in ETCD):
        try:
            text = path.read_text(errors="replace")
        except FileNotFoundError:
            continue
        hosts = {address for word in _PEER.findall(text) if (address := _address(word))}
        hosts -= {LOOPBACK, LOOPBACK6}
        if hosts:
            raw = ", ".join(sorted(map(str, hosts)))
            yield target.of_own(Key.VIP_IS_NODE_IP, target.vip in hosts, str(path), raw=raw)


def _address(word: str) -> IPAddress | None:
    try:
        return ip_address(word)
    except ValueError:
        return None


COLLECTORS = (
    Collector(
        "disk of the datastore",
        frozenset({Key.DISK_FULL, Key.ETCD_DATA, Key.VIP_IS_NODE_IP}),
        look_at_disk,
        limit=2.0,
        privilege=Privilege.ROOT,
        on_server=True,
    ),
)
