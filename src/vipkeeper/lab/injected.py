"""What a daemon in the lab can be made to do from within: fail or stand still collecting garbage, by a signal; or
speak the revision of adverts that comes after this one (docs/wire.md, "Later revisions").

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
REVISION_AT = 5
"""Where an advert has its revision."""
LATER_FIELDS = b"\x01later field\xff\xff"
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


_NEXT = f"""\
from vipkeeper.wire import advert

_encode = advert.encode


def _next(one, key):
    message = bytearray(_encode(one, key)[: -advert.TAG_LENGTH])
    message += bytes({LATER_FIELDS!r})
    message[{REVISION_AT}] += 1
    message[6:8] = (len(message) + advert.TAG_LENGTH).to_bytes(2, "big")
    message[10] |= 0x80
    return bytes(message) + advert._tag(bytes(message), key)


advert.encode = _next
"""
"""An unknown flag and fields behind those of this revision, both under the tag."""


def wrapper(directory: Path) -> tuple[str, ...]:
    """Words before a daemon's command line; the module is left in the directory."""
    return _wrapper(directory / "injected", _MODULE)


def next_revision(directory: Path) -> tuple[str, ...]:
    """The same for a daemon that sends adverts of the next revision."""
    return _wrapper(directory / "next", _NEXT)


def _wrapper(folder: Path, module: str) -> tuple[str, ...]:
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(module)
    return ("env", f"PYTHONPATH={folder}")
