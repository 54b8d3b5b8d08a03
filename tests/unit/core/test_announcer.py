"""When a claim is announced: four times, then seldom, and once more behind each sign of another holder."""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.core.announcer import (
    AFTER_CLAIM,
    REFRESH_EVERY,
    SOON,
    Announcer,
)
from vipkeeper.core.types import MILLISECOND, SECOND, Instant


def _sent(announcer: Announcer, until: Instant) -> Iterator[Instant]:
    """When it announces up to then."""
    while (at := announcer.deadline()) is not None and at <= until:
        if announcer.due(at, quiet=False):
            yield at


def test_a_claim_is_announced_four_times_and_then_refreshed() -> None:
    announcer = Announcer()
    announcer.start(0)
    refresh = AFTER_CLAIM[-1] + REFRESH_EVERY
    assert list(_sent(announcer, refresh)) == [*AFTER_CLAIM, refresh]


def test_the_last_word_of_a_conflict_is_the_holders() -> None:
    """A loser that gave way after its own announcement must not keep the clients for a second."""
    announcer = Announcer()
    announcer.start(0)
    assert list(_sent(announcer, 230 * MILLISECOND)) == list(AFTER_CLAIM[:3])
    announcer.again(240 * MILLISECOND)
    assert next(_sent(announcer, SECOND)) == 240 * MILLISECOND + SOON


def test_signs_without_end_are_answered_ten_times_a_second_at_most() -> None:
    announcer = Announcer()
    announcer.start(0)
    sent: list[Instant] = []
    for now in range(0, SECOND, MILLISECOND):
        announcer.again(now)
        sent += _sent(announcer, now)
    assert len(sent) <= SECOND // SOON + len(AFTER_CLAIM)


def test_a_stranger_is_not_answered_by_who_has_no_vip() -> None:
    announcer = Announcer()
    announcer.start(0)
    announcer.stop()
    announcer.again(SECOND)
    assert announcer.deadline() is None
