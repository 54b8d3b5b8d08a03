"""What a fuzz target is, and the list of them."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
"""One folder a target: its seeds, and inputs that once were a crash."""

Mutator = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that must take any bytes."""

    name: str
    check: Callable[[bytes], None]
    """Feeds the bytes; any exception that leaves it is a finding, an AssertionError of the oracle too."""
    longest: int = 2048
    """Bytes of the longest input that is tried."""
    mutate: Mutator | None = None
    """Changes an input with knowledge of its form, so that what lies behind a checksum is reached."""
    explain: Callable[[bytes], list[str]] | None = None
    """What an input means, line by line up to its failure; shown by a replay."""

    def corpus(self) -> list[Path]:
        """The files of its seed corpus, in a fixed order."""
        return sorted(path for path in (CORPUS / self.name).glob("*") if path.is_file())


WEIGHTS = {
    "advert": 2,
    "arp": 1,
    "bundle": 2,
    "config": 3,
    "core": 8,
    "echo": 1,
    "history": 1,
    "http": 2,
    "keys": 1,
    "lines": 1,
    "lint": 4,
    "messages": 1,
    "ndp": 1,
    "protocol": 2,
    "rundir": 1,
    "tls": 1,
    "trace": 1,
}
"""Every target and its share of the time; `fuzz/targets/NAME.py` holds its `TARGET`."""

INSTRUMENTED = {"core": (["vipkeeper.core"], ["vipkeeper.core.trace"])}
"""For atheris: the packages whose branches guide it, and those within that do not. It makes them slow."""


def load(name: str) -> Target:
    """The target; imports what it tests, so that an engine can instrument it first."""
    target: Target = importlib.import_module(f"fuzz.targets.{name}").TARGET
    return target
