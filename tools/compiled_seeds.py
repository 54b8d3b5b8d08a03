"""Plays seeds in whatever copy of the package PYTHONPATH names, one line of JSON for each.

compiled_seeds.py FOLDER WAY SECONDS WHAT SEED...

FOLDER is where the package must come from, WAY `interpreted` or `compiled`, SECONDS the length of the phase
with faults (0: as the seed decides). WHAT is `trace` (SHA-256 of the whole trace, and all that a checked run
came to), `encoded` (the same with adverts as bytes) or `speed` (events, seconds of processor time).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from vipkeeper.core import node
from vipkeeper.core.types import SECOND
from vipkeeper.sim.faults import draw
from vipkeeper.sim.run import run, trace_hash


def _traced(seed: int, seconds: int, encoded: bool) -> dict[str, Any]:
    plan = draw(seed, seconds * SECOND or None, encoded=encoded)
    return {"seed": seed, "trace": trace_hash(plan), "outcome": repr(run(plan))}


def _timed(seed: int, seconds: int) -> dict[str, Any]:
    begin = time.process_time()
    events = run(draw(seed, seconds * SECOND or None)).events
    return {"seed": seed, "events": events, "cpu_s": time.process_time() - begin}


def main(arguments: list[str]) -> int:
    """Play them in the order given."""
    folder, way, seconds, what, *seeds = arguments
    came_from = Path(node.__file__)
    as_asked = (came_from.suffix != ".py") == (way == "compiled")
    if Path(folder).resolve() not in came_from.resolve().parents or not as_asked:
        sys.stderr.write(f"the core comes from {came_from}, which is not {way} in {folder}\n")
        return 2
    for seed in map(int, seeds):
        if what == "speed":
            told = _timed(seed, int(seconds))
        else:
            told = _traced(seed, int(seconds), what == "encoded")
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
