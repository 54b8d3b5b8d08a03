"""What docs/protocol.md says the election does not protect against is what it does.

A test here fails when the election has become better: then the page must say so too.
"""

from __future__ import annotations

import pytest

from support.cluster import Cluster, Host
from vipkeeper.core.actions import State
from vipkeeper.core.types import MILLISECOND, SECOND

Cut = set[tuple[int, int]]


class Segment(Cluster):
    """A cut in one direction also swallows the answers to what comes through in the other."""

    def _probe(self, host: Host) -> None:
        one_way = self.cut
        self.cut = one_way | {(to, source) for source, to in one_way}
        super()._probe(host)
        self.cut = one_way


def both(*pairs: tuple[int, int]) -> Cut:
    return {direction for a, b in pairs for direction in ((a, b), (b, a))}


def after(cut: Cut) -> Segment:
    """Three servers with cp1 holding, 5 s after the cut."""
    world = Segment(3)
    world.start()
    world.run(2 * SECOND)
    assert world.holders() == ["cp1"]
    world.cut = cut
    world.run(5 * SECOND)
    return world


@pytest.mark.parametrize(
    ("cut", "holders"),
    [
        (both((0, 1), (0, 2)), ["cp1", "cp2"]),
        (both((0, 1)), ["cp1", "cp2"]),
        (both((0, 2)), ["cp1", "cp3"]),
    ],
    ids=["a full cut", "cp1 and cp2 only", "cp1 and cp3 only"],
)
def test_two_hold_until_the_cut_heals_and_then_the_newer_epoch_stays(
    cut: Cut, holders: list[str]
) -> None:
    world = after(cut)
    assert world.holders() == holders
    world.cut = set()
    world.run(SECOND)
    assert world.holders() == holders[1:]


def test_a_server_that_sends_but_receives_nothing_takes_the_vip() -> None:
    world = after({(0, 1), (2, 1)})
    assert world.holders() == ["cp2"]
    assert world.states() == [State.BACKUP, State.HOLDER, State.BACKUP]


def test_a_holder_whose_adverts_are_lost_yields_within_an_advert() -> None:
    world = Segment(3)
    world.start()
    world.run(2 * SECOND)
    world.cut = {(0, 1), (0, 2)}
    two = 0
    for _ in range(1000):
        world.run(MILLISECOND)
        two += len(world.holders()) > 1
    assert world.holders() == ["cp2"]
    assert two <= 100


def test_a_holder_that_hears_nobody_keeps_the_vip() -> None:
    assert after({(1, 0), (2, 0)}).holders() == ["cp1"]


def test_adverts_lost_while_the_vip_answers_move_nothing() -> None:
    world = Cluster(3)
    world.start()
    world.run(2 * SECOND)
    send = world._send
    lost = world.hosts[0]
    world._send = lambda host, action: None if host is lost else send(host, action)  # type: ignore[method-assign]
    world.run(10 * SECOND)
    assert world.holders() == ["cp1"]
    assert world.states() == [State.HOLDER, State.HOLDOFF, State.HOLDOFF]
