"""Times on the command line of `drill`: numbers with a unit, within bounds."""

from __future__ import annotations

import argparse
import re

from vipkeeper.config import table
from vipkeeper.core.types import MILLISECOND

LONGEST_ACT = 3600
"""Seconds."""
_BOUNDS = table.ADVERT_INTERVAL.kind
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s)?")


def advert_interval(text: str) -> int:
    """Milliseconds of --interval; ArgumentTypeError where it is no such time."""
    low, high = (at // MILLISECOND for at in (_BOUNDS.low, _BOUNDS.high))
    value = _milliseconds(text, low, high)
    if not value or value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is no time from {low}ms to {high // 1000}s")
    return int(value)


def act_length(text: str) -> float:
    """Seconds of --for; ArgumentTypeError where it is no such time."""
    value = _milliseconds(text, 1000, LONGEST_ACT * 1000) / 1000
    if not value:
        raise argparse.ArgumentTypeError(f"{text!r} is no time from 1s to {LONGEST_ACT}s")
    return value


def _milliseconds(text: str, low: int, high: int) -> float:
    """Of a time such as 20ms or 1.5s within bounds, 0 where it is none; ArgumentTypeError where only its unit is missing."""
    match = _TIME.fullmatch(text)
    if match is None:
        return 0.0
    found = {unit: float(match[1]) * factor for unit, factor in (("ms", 1), ("s", 1000))}
    meant = [f"{text}{unit}" for unit, value in found.items() if low <= value <= high]
    if not match[2] and meant:
        raise argparse.ArgumentTypeError(f"{text!r} has no unit; write {' or '.join(meant)}")
    value = found.get(match[2], 0.0)
    return value if low <= value <= high else 0.0
