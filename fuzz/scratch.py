"""A folder for targets that read a file."""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path

SCRATCH = "VIPKEEPER_FUZZ_SCRATCH"
"""Environment: where the caller wants the folder, and will remove it."""


@functools.cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="vipkeeper-fuzz-")


def scratch() -> Path:
    """One for the process. An engine may end the process at once, so its caller gives the place."""
    given = os.environ.get(SCRATCH)
    return Path(given) if given else Path(_temporary().name)


def memory() -> str | None:
    """A file system in memory, where there is one: a disk would take most of the time."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
