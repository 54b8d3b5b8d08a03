"""What docs/protocol.md says the election does not protect against is what it does.

A test here fails when the election has become better: then the page must say so too.
"""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from support.cluster import Cluster
from vipkeeper.core.actions import State
from vipkeeper.core.types import MILLISECOND, SECOND

Cut = set[tuple[int, int]]


def both(*pairs: tuple[int, int]) -> Cut:
    return {direction for a, b in pairs for direction in ((a, b), (b, a))}


def after(cut: Cut, *, count: int = 3, silent_gateway: set[int] | None = None) -> Cluster:
    """Servers with cp1 holding, 5 s after the cut; with a gateway where it is said who hears it not."""
    world = Cluster(count)
    world.gateway = IPv4Address("10.10.10.1") if silent_gateway is not None else None
    world.start()
    world.run(2 * SECOND)
    assert world.holders() == ["cp1"]
    world.cut = cut
    world.gateway_cut = silent_gateway or set()
    world.run(5 * SECOND)
    return world


@pytest.mark.parametrize("silent_gateway", [None, set()], ids=["no gateway", "a gateway each"])
@pytest.mark.parametrize(
    ("count", "cut"), [(3, both((0, 1), (0, 2))), (2, both((0, 1)))], ids=["1 of 3", "1 of 2"]
)
def test_both_sides_of_a_full_cut_hold_until_it_heals_and_then_the_newer_epoch_stays(
    count: int, cut: Cut, silent_gateway: set[int] | None
) -> None:
    world = after(cut, count=count, silent_gateway=silent_gateway)
    assert world.holders() == ["cp1", "cp2"]
    world.cut = set()
    world.run(SECOND)
    assert world.holders() == ["cp2"]


def test_the_side_of_a_full_cut_without_the_gateway_falls_deaf() -> None:
    world = after(both((0, 1), (0, 2)), silent_gateway={0})
    assert world.holders() == ["cp2"]
    assert world.states()[0] is State.DEAF


@pytest.mark.parametrize("cut", [both((0, 1)), both((0, 2)), {(0, 1)}, {(1, 0)}])
def test_a_cut_between_two_of_three_moves_nothing(cut: Cut) -> None:
    assert after(cut).holders() == ["cp1"]


def test_the_last_server_whose_gateway_dies_too_gives_the_vip_up() -> None:
    world = after(set(), silent_gateway=set())
    world.power_off(1)
    world.power_off(2)
    world.run(3 * SECOND)
    assert world.holders() == ["cp1"]
    world.gateway_cut = {0}
    world.run(3 * SECOND)
    assert world.holders() == []
    world.gateway_cut = set()
    world.run(SECOND)
    assert world.holders() == ["cp1"]


def test_one_that_cannot_hear_since_before_the_other_started_is_not_obeyed() -> None:
    """cp2 restarts while nothing reaches it: it claims, and cp1, which hears it, does not believe it."""
    world = after(set(), count=2)
    world.kill_daemon(1)
    world.cut = {(0, 1)}
    world.run(10 * MILLISECOND)
    world.start(1)
    world.run(10 * SECOND)
    assert world.holders() == ["cp1", "cp2"]
    world.cut = set()
    world.run(SECOND)
    assert len(world.holders()) == 1


def test_a_holder_whose_adverts_are_lost_yields_within_an_advert() -> None:
    world = Cluster(3)
    world.start()
    world.run(2 * SECOND)
    world.cut = {(0, 1), (0, 2)}
    two = 0
    for _ in range(1000):
        world.run(MILLISECOND)
        two += len(world.holders()) > 1
    assert world.holders() == ["cp2"]
    assert two <= 100


def test_a_holder_that_hears_nobody_keeps_the_vip_where_no_gateway_can_tell() -> None:
    assert after({(1, 0), (2, 0)}).holders() == ["cp1"]


def test_adverts_lost_while_the_vip_answers_move_nothing() -> None:
    world = Cluster(3)
    world.start()
    world.run(2 * SECOND)
    world.adverts_cut = {(0, 1), (0, 2)}
    world.run(10 * SECOND)
    assert world.holders() == ["cp1"]
    assert world.states() == [State.HOLDER, State.HOLDOFF, State.HOLDOFF]
