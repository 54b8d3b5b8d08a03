"""The key file: any bytes give one or two keys that authenticate, or a ConfigError."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from fuzz.scratch import scratch
from fuzz.target import Target
from fuzz.targets.config import judge
from vipkeeper.config.checker import ConfigError
from vipkeeper.config.keys import MIN_LENGTH, read_keys


@functools.cache
def file() -> Path:
    """One for the process, open to its owner only."""
    path = scratch() / "key"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return path


def check(data: bytes) -> None:
    """Read the file."""
    file().write_bytes(data)
    try:
        keys = read_keys(file())
    except ConfigError as error:
        judge(error)
        return
    assert 1 <= len(keys) <= 2
    assert all(isinstance(key, bytes) and len(key) >= MIN_LENGTH for key in keys)


TARGET = Target("keys", check, longest=5000)
