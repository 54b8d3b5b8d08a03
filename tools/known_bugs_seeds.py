"""Plays seeds in whatever copy of the package PYTHONPATH names, one line of JSON for each.

known_bugs_seeds.py FOLDER SECONDS INVARIANT SEED...

FOLDER is where the package must come from, SECONDS the length of the phase with faults. A run ends soon
after INVARIANT was broken; `-` plays every run to its end.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import vipkeeper
from vipkeeper.core.types import SECOND
from vipkeeper.sim.faults import draw
from vipkeeper.sim.run import run


def main(arguments: list[str]) -> int:
    """Play them in the order given."""
    folder, seconds, invariant, *seeds = arguments
    if Path(folder).resolve() not in Path(vipkeeper.__file__).resolve().parents:
        sys.stderr.write(f"vipkeeper comes from {vipkeeper.__file__}, not from {folder}\n")
        return 2
    stop_at = None if invariant == "-" else invariant
    for seed in map(int, seeds):
        begun = time.monotonic()
        result = run(draw(seed, int(seconds) * SECOND), stop_at=stop_at)
        broken = {v.invariant: v.text for v in reversed(result.violations)}
        took = time.monotonic() - begun
        sys.stdout.write(json.dumps({"seed": seed, "seconds": took, "broken": broken}) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
