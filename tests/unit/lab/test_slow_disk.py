"""A disk that is made slow: a program's fsync(2) waits, and only that."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from vipkeeper.lab.troubles import slow_disk

SYNC = """\
import os, sys, time
file = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
began = time.monotonic()
os.write(file, b"x")
written = time.monotonic()
os.fdatasync(file)
print(written - began, time.monotonic() - written)
sys.exit(3)
"""
SLOW = 0.3


@pytest.mark.skipif(platform.machine() not in slow_disk._SECCOMP, reason="no numbers of its calls")
@pytest.mark.parametrize("seconds", [None, SLOW])
def test_a_sync_takes_as_long_as_the_file_says_and_the_program_ends_as_it_would(
    seconds: float | None, tmp_path: Path
) -> None:
    delay = tmp_path / "slow"
    if seconds is not None:
        delay.write_text(str(seconds))
    words = (sys.executable, "-m", slow_disk.__name__, str(delay))
    done = subprocess.run(
        [*words, sys.executable, "-c", SYNC, str(tmp_path / "file")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if "seccomp" in done.stderr:
        pytest.skip("the kernel does not hand calls over here")
    assert done.returncode == 3, done.stderr
    write, sync = map(float, done.stdout.split())
    assert seconds is None or sync >= seconds > write
