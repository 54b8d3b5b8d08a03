"""What a daemon in the lab can be made to do from within, by a signal: fail, or stand still collecting garbage.

Nothing of the daemon knows of it: the interpreter imports `sitecustomize` when it starts (Python's module
`site`), and the lab puts one in the way of the daemons that it is to break.
"""

from __future__ import annotations

import signal
from pathlib import Path

RAISE = signal.SIGUSR1
"""Raises an exception wherever the main thread is."""
COLLECT = signal.SIGUSR2
"""Allocates cycles of objects until they are collected again: a pause of the whole interpreter."""
CYCLES = 2_000_000
"""Some 200 MB, and a second of collecting."""
_MODULE = f"""\
import gc
import signal


def _raise(number, frame):
    raise RuntimeError("injected by the lab")


def _collect(number, frame):
    gc.disable()
    for _ in range({CYCLES}):
        cycle = []
        cycle.append(cycle)
    gc.enable()
    gc.collect()


signal.signal(signal.{RAISE.name}, _raise)
signal.signal(signal.{COLLECT.name}, _collect)
"""


def wrapper(directory: Path) -> tuple[str, ...]:
    """Words before a daemon's command line; the module is left in the directory."""
    folder = directory / "injected"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_MODULE)
    return ("env", f"PYTHONPATH={folder}")
