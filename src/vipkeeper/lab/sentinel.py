"""How late timers of one core are: `python -m vipkeeper.lab.sentinel --core 1 --every 0.01`.

The kernel may keep all real-time programs of one core waiting (sched(7), "Limiting the CPU usage of real-time
and deadline processes") while probes on another core notice nothing. It runs above every daemon of the lab and
uses microseconds: a daemon that keeps its core to itself can make it late only by those waits, 50 ms in each
second. Where it is not given its priority it says so, and is late as any other program is.
"""

from __future__ import annotations

import argparse
import os
import select

from vipkeeper.host import scheduling
from vipkeeper.lab.kernel import now
from vipkeeper.lab.probe import Journal, Schedule, end_quietly, prefer, wait
from vipkeeper.lab.records import Kind

PRIORITY = scheduling.PRIORITY + 1
"""Above the keeper's."""
HEARD_EVERY = 100_000_000
"""Nanoseconds between two words that all lateness so far is written down."""


def name(core: int) -> str:
    """What the sentinel of a core calls itself."""
    return f"sentinel{core}"


def main() -> None:
    """Entry of `python -m vipkeeper.lab.sentinel`."""
    parser = argparse.ArgumentParser(prog="vipkeeper.lab.sentinel", description=__doc__)
    parser.add_argument("--core", type=int, required=True)
    parser.add_argument("--every", type=float, default=0.01, metavar="SECONDS")
    options = parser.parse_args()
    end_quietly()
    os.sched_setaffinity(0, {options.core})
    poll = select.epoll()
    journal = Journal(Kind.CORE_LATE)
    granted = prefer(PRIORITY)
    schedule, heard = Schedule(int(options.every * 1e9)), Schedule(HEARD_EVERY)
    journal.note(Kind.READY, schedule.due, int(granted), name(options.core))
    while True:
        wait(poll, schedule)
        at = now()
        if (due := schedule.passed()) is not None:
            journal.woke(due)
            if heard.passed() is not None:
                # The instant from before it looked: if it stands still just here, that is not known yet.
                journal.note(Kind.HEARD, at, text=name(options.core))
        journal.write()


if __name__ == "__main__":
    main()
