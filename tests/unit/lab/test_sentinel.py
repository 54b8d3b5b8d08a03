"""How late a core is, as its sentinel notes it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

from vipkeeper.host import scheduling
from vipkeeper.lab import records, sentinel
from vipkeeper.lab.records import Kind, Record


def test_a_sentinel_that_stood_still_notes_by_how_much_it_is_late() -> None:
    core = min(os.sched_getaffinity(0))
    words = [sys.executable, "-m", "vipkeeper.lab.sentinel", "--core", str(core)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        seen = _until(process.stdout.fileno(), Kind.READY, 0)
        granted = os.sched_getscheduler(process.pid) == os.SCHED_FIFO
        priority = os.sched_getparam(process.pid).sched_priority
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        # It is the time itself that is to pass.
        select.select([], [], [], 0.3)
        process.send_signal(signal.SIGCONT)
        late = _until(process.stdout.fileno(), Kind.CORE_LATE, 250_000)
        heard = _until(process.stdout.fileno(), Kind.HEARD, 0)
        process.kill()
    assert seen.text == heard.text == sentinel.name(core)
    assert seen.number == granted
    assert heard.at > late.at - late.number * 1000
    assert late.number >= 250_000
    assert not granted or priority > scheduling.PRIORITY, "a keeper that spins would make it late"


def _until(descriptor: int, kind: Kind, least: int) -> Record:
    data = b""
    while True:
        data += os.read(descriptor, 1 << 16)
        whole = len(data) // records.SIZE * records.SIZE
        for record in records.decode(data[:whole]):
            if record.kind is kind and record.number >= least:
                return record
        data = data[whole:]
