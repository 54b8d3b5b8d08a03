"""The key file: what authenticates adverts."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from vipkeeper.config.checker import ConfigError
from vipkeeper.config.tree import Problem, Span

MIN_LENGTH = 32
MAX_BYTES = 4096
_HEX = re.compile(r"[0-9a-fA-F]{64,}")


def read_keys(path: Path) -> tuple[bytes, ...]:
    """One key, or two during a rotation: one a line, the first signs, both are accepted.

    A line of 64 or more hexadecimal digits is taken as bytes, any other line of at least 32 characters
    as it stands. Lines that start with # are comments.

    Raises:
        ConfigError: missing, readable by others, too short, or more than two keys.
    """
    try:
        # without blocking: the path may name a pipe that nobody writes to
        fileno = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fileno, "rb") as file:
            info = os.fstat(fileno)
            data = file.read(MAX_BYTES + 1) if stat.S_ISREG(info.st_mode) else b""
    except FileNotFoundError:
        raise _error(path, 1, "the key file does not exist: `vipkeeper init` makes one") from None
    except OSError as error:
        raise _error(path, 1, f"the key file cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(info.st_mode):
        raise _error(path, 1, "the key file is no regular file")
    if info.st_mode & 0o077:
        raise _error(path, 1, f"the key file is open to others: chmod 600 {path}")
    if info.st_uid not in (0, os.geteuid()):
        raise _error(path, 1, f"the key file belongs to another user: chown root {path}")
    return _parse(path, data)


def _parse(path: Path, data: bytes) -> tuple[bytes, ...]:
    if len(data) > MAX_BYTES:
        raise _error(path, 1, f"the key file is larger than {MAX_BYTES} bytes")
    keys = []
    for number, raw in enumerate(data.decode("utf-8", "surrogateescape").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if len(line) < MIN_LENGTH:
            raise _error(path, number, f"the key is shorter than {MIN_LENGTH} characters")
        digits = _HEX.fullmatch(line) and len(line) % 2 == 0
        keys.append(bytes.fromhex(line) if digits else line.encode("utf-8", "surrogateescape"))
    if not keys:
        raise _error(path, 1, "the key file holds no key: `vipkeeper init` makes one")
    if len(keys) > 2:
        raise _error(path, 1, "more than two keys: keep the new one first and the old one second")
    if len(set(keys)) < len(keys):
        raise _error(path, 1, "both keys are the same: leave one out")
    return tuple(keys)


def _error(path: Path, line: int, message: str) -> ConfigError:
    return ConfigError([Problem(Span(str(path), line, 1), message)])
