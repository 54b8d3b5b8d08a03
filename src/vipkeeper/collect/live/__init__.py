"""Collectors that look at this host and at what it can reach."""

from __future__ import annotations

from vipkeeper.collect.collector import Collector
from vipkeeper.collect.live import (
    arp,
    claims,
    control_plane,
    disk,
    hosts,
    kernel,
    logs,
    network,
    processes,
)

COLLECTORS: tuple[Collector, ...] = (
    *kernel.COLLECTORS,
    *network.COLLECTORS,
    *control_plane.COLLECTORS,
    *processes.COLLECTORS,
    *claims.COLLECTORS,
    *disk.COLLECTORS,
    *logs.COLLECTORS,
    *arp.COLLECTORS,
    *hosts.COLLECTORS,
)
