"""A process that is left no descriptor opens nothing, whatever it closes, until they are given back."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest

from vipkeeper.lab.descriptors import give_back, take_last

OPENS = """\
import os, sys
held = []
for line in sys.stdin:
    if line == "close\\n":
        os.close(held.pop())
    try:
        if line == "open\\n":
            held.append(os.open("/dev/null", os.O_RDONLY))
        print("done", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)
"""


@pytest.fixture
def opener() -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", OPENS], stdin=pipe, stdout=pipe, text=True) as one:
        yield one
        one.communicate(timeout=60)


def told(opener: subprocess.Popen[str], order: str) -> str:
    assert opener.stdin is not None
    assert opener.stdout is not None
    opener.stdin.write(f"{order}\n")
    opener.stdin.flush()
    return opener.stdout.readline().rstrip()


def test_what_was_closed_is_taken_too(opener: subprocess.Popen[str]) -> None:
    pids, limits = [opener.pid], resource.getrlimit(resource.RLIMIT_NOFILE)
    assert told(opener, "open") == "done"
    assert take_last(pids) == pids
    assert told(opener, "open") == "Too many open files"
    assert told(opener, "close") == "done"
    assert take_last(pids) == pids
    assert told(opener, "open") == "Too many open files"
    assert take_last(pids) == []
    give_back(pids, limits)
    assert told(opener, "open") == "done"
