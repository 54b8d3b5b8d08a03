"""What a soak takes for broken, and what for the host's fault."""

from __future__ import annotations

from dataclasses import replace

from support.cluster import settings
from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.lab.measure import Window
from vipkeeper.lab.soak import explained_within, moved_for_nothing

WITHIN = explained_within(settings(0))
STALL = Window(100 * SECOND, 103 * SECOND)


def at(seconds: float) -> list[int]:
    return [round(seconds * SECOND)]


def test_a_move_counts_against_the_cluster_unless_the_host_had_just_stood_still() -> None:
    assert moved_for_nothing(at(103.1), [], WITHIN)
    assert not moved_for_nothing([], [], WITHIN)
    assert not moved_for_nothing(at(103.1), [STALL], WITHIN)
    assert not moved_for_nothing(at(101.5), [STALL], WITHIN)
    assert not moved_for_nothing([STALL.end + WITHIN], [STALL], WITHIN)


def test_a_stall_excuses_no_move_that_came_before_it_or_long_after() -> None:
    assert moved_for_nothing(at(99.9), [STALL], WITHIN)
    assert moved_for_nothing([STALL.end + WITHIN + 1], [STALL], WITHIN)
    assert moved_for_nothing([*at(103.1), *at(120)], [STALL], WITHIN)
    later = Window(119 * SECOND, 120 * SECOND)
    assert not moved_for_nothing([*at(103.1), *at(120.1)], [STALL, later], WITHIN)


def test_the_timers_of_the_cluster_say_how_long_a_stall_explains() -> None:
    patient = replace(settings(0), kernel_lease=6 * SECOND, advert_interval=200 * MILLISECOND)
    assert WITHIN == 5 * SECOND
    assert explained_within(patient) == 9 * SECOND
