"""The disk with the datastore, and etcd's own file on it. That it is full is one thing, etcd's alarm about its quota (/health) another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import yaml

from vipkeeper.collect.collector import Collector
from vipkeeper.collect.target import Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import Privilege
from vipkeeper.diagnose.vocabulary import Key

ETCD = (
    "/var/lib/rancher/rke2/server/db/etcd",
    "/var/lib/rancher/k3s/server/db/etcd",
    "/var/lib/etcd",
)
DATA = (*ETCD, "/var/lib/rancher/k3s/server/db")
"""Where the datastore is, the last one that of SQLite."""
_OWN_URLS = ("listen-peer-urls", "advertise-client-urls")
_LONGEST = 64 * 1024
SEGMENT = 64_000_000
"""Bytes: etcd sets aside so many for each file of its log, and stops where it cannot (server/storage/wal)."""


def look_at_disk(target: Target) -> Iterator[Fact]:
    """Whether etcd was in a cluster before, and whether its disk has room for another file of its log."""
    folders = [path for name in ETCD if (path := target.path(name)).is_dir()]
    wal = next((path / "member/wal" for path in folders if (path / "member/wal").is_dir()), None)
    source = str(wal) if wal else ", ".join(map(str, folders)) or ", ".join(ETCD)
    yield target.of_own(Key.ETCD_DATA, wal is not None, source)
    data = next((path for name in DATA if (path := target.path(name)).is_dir()), None)
    if data is None:
        return
    state = os.statvfs(data)
    free = state.f_bfree * state.f_frsize
    none_left = state.f_files > 0 and state.f_ffree == 0
    raw = f"{free >> 20} MiB and {state.f_ffree} inodes free"
    yield target.of_own(Key.DISK_FULL, free < SEGMENT or none_left, f"statvfs {data}", raw=raw)


def look_at_etcd_config(target: Target) -> Iterator[Fact]:
    """Under which address etcd is a member, by the file that RKE2 and k3s write for it at each start."""
    path = next((p for name in ETCD if (p := target.path(name) / "config").is_file()), None)
    if path is None:
        return
    hosts = addresses_in(path.read_text(errors="replace")[:_LONGEST])
    if hosts:
        found = str(target.vip) in hosts
        raw = ", ".join(sorted(hosts))
        yield target.of_own(Key.VIP_IS_NODE_IP, found, str(path), raw=raw)


def addresses_in(config: str) -> set[str]:
    """The hosts in the URLs of etcd's own peers and clients. Total."""
    try:
        document: Any = yaml.safe_load(config)
        urls = [u for key in _OWN_URLS for u in str(document.get(key) or "").split(",")]
        return {host for url in urls if (host := urlsplit(url.strip()).hostname)}
    except (yaml.YAMLError, ValueError, AttributeError, RecursionError):
        return set()


COLLECTORS = (
    Collector(
        "disk of the datastore",
        frozenset({Key.DISK_FULL, Key.ETCD_DATA}),
        look_at_disk,
        limit=2.0,
        privilege=Privilege.ROOT,
        on_server=True,
    ),
    Collector(
        "etcd's own file",
        frozenset({Key.VIP_IS_NODE_IP}),
        look_at_etcd_config,
        limit=2.0,
        privilege=Privilege.ROOT,
        on_server=True,
    ),
)
