"""Round numbers for a time axis."""

from __future__ import annotations

import math

SHORTEST = 1e-3
"""An act of less than a millisecond has nothing to draw; its axis shows one second."""


def axis_length(length: float) -> float:
    """The seconds an axis shows for an act of that length."""
    return length if length >= SHORTEST else 1.0


def nice_ticks(length: float, most: int) -> list[float]:
    """Ticks from 0 in steps of 1, 2 or 5 times a power of ten, at most `most` steps up to `length`.

    Both arguments must be positive; a tick may be equal to `length`.
    """
    rough = length / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [round(i * step, digits) for i in range(math.floor(length / step + 1e-9) + 1)]


def seconds(value: float) -> str:
    """A tick without needless zeros: `0`, `0.5`, `12`."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
