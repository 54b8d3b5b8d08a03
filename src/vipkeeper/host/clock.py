"""Time of this host as the core counts it."""

from __future__ import annotations

import time
from pathlib import Path

from vipkeeper.core.types import OLDEST_STAMP, Instant


def now() -> Instant:
    """Nanoseconds on CLOCK_BOOTTIME: goes on during suspend, never steps."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def from_realtime(stamp: int) -> Instant:
    """A recent kernel receive stamp (SO_TIMESTAMPNS, nanoseconds of CLOCK_REALTIME) as an instant.

    The offset is taken at the time of the call, so a wall clock that stepped in between shifts the
    result; it is kept within the last second and the present.
    """
    instant = now()
    age = time.clock_gettime_ns(time.CLOCK_REALTIME) - stamp
    return instant - min(max(age, 0), OLDEST_STAMP)


def host_boot_id() -> str:
    """Changes with every boot of the host (Documentation/admin-guide/sysctl/kernel.rst)."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
