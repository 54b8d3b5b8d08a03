"""How late timers of one core are: `python -m vipkeeper.lab.sentinel --core 1 --every 0.01`.

The kernel may keep all real-time programs of one core waiting (sched(7), "Limiting the CPU usage of real-time
and deadline processes") while probes on another core notice nothing. It runs above every daemon of the lab and
uses microseconds: only the host can make it late, and no daemon that keeps its core to itself.
"""

from __future__ import annotations

import argparse
import os
import select

from vipkeeper.host import scheduling
from vipkeeper.lab.probe import Journal, Schedule, end_quietly, prefer, wait
from vipkeeper.lab.records import Kind

PRIORITY = scheduling.PRIORITY + 1
"""Above the keeper's."""


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
    prefer(PRIORITY)
    schedule = Schedule(int(options.every * 1e9))
    journal.note(Kind.READY, schedule.due, text=f"sentinel{options.core}")
    while True:
        wait(poll, schedule)
        if (due := schedule.passed()) is not None:
            journal.woke(due)
        journal.write()


if __name__ == "__main__":
    main()
