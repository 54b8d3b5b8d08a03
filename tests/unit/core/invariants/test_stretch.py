"""A condition with a bound that changes while it holds."""

from __future__ import annotations

import pytest

from vipkeeper.core.invariants.base import Stretch


@pytest.mark.parametrize(
    ("bounds", "end"),
    [
        ({0: 100}, 100),
        ({0: 100, 50: 300}, 300),
        ({0: 300, 50: 100}, 150),
        ({0: 100, 90: 80}, 100),
        ({0: 100, 10: 300, 20: 100}, 120),
        ({0: 100, 10: 300, 20: 100, 30: 300}, 300),
    ],
    ids=["constant", "grows", "shrinks", "shrinks late", "for a while", "twice"],
)
def test_when_the_time_is_up(bounds: dict[int, int], end: int) -> None:
    stretch = Stretch()
    for at in range(1000):
        if stretch.exceeded(at) is not None:
            assert at == end + 1
            return
        bound = bounds[max(begin for begin in bounds if begin <= at)]
        stretch.update(at, True, bound)
    raise AssertionError("never")
