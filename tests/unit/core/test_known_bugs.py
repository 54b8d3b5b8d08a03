"""Bugs that model, fuzzer or simulator found in the election, by what somebody would have seen."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

from support.cluster import VIP, Cluster
from vipkeeper.core.actions import (
    AddressOperation,
    Cause,
    ChangeAddresses,
    Reply,
    State,
    Transition,
)
from vipkeeper.core.events import (
    AddressesDone,
    AddressOutcome,
    Commanded,
    HostObserved,
    Outcome,
    Started,
    Tick,
    Verb,
)
from vipkeeper.core.node import Node
from vipkeeper.core.types import MILLISECOND, SECOND, AddressState, VipView

GATEWAY = IPv4Address("10.10.10.1")


def running(count: int = 3, **changes: object) -> Cluster:
    """A cluster at rest with cp1 holding."""
    world = Cluster(count, **changes)
    world.gateway = GATEWAY
    world.start()
    world.run(2 * SECOND)
    assert world.holders() == ["cp1"]
    return world


def entered(world: Cluster, index: int, since: int) -> list[State]:
    found = world.sent(index, Transition)
    return [a.after for t, a in found if isinstance(a, Transition) and t >= since]


def test_vip_that_the_kernel_took_longer_than_its_lease_to_add_is_not_held() -> None:
    world = Cluster(1)
    host = world.hosts[0]
    node = Node(host.settings, 1)
    now = world.now
    actions = node.handle(Started(host.view(now), None), now)
    while not (adds := [a for a in actions if isinstance(a, ChangeAddresses)]):
        now = node.deadline() or now
        actions = node.handle(Tick(), now)
    late = now + host.settings.kernel_lease + MILLISECOND
    after = node.handle(AddressesDone(adds[0].id, AddressOutcome.DONE, now, late), late)
    assert State.HOLDER not in [a.after for a in after if isinstance(a, Transition)]
    assert [a.operation for a in after if isinstance(a, ChangeAddresses)] == [
        AddressOperation.REMOVE
    ]


def test_a_deaf_server_whose_gateway_vanishes_from_its_routes_takes_part_again() -> None:
    world = running(2)
    world.cut = {(0, 1), (1, 0)}
    world.gateway_cut = {1}
    world.power_off(0)
    world.until(lambda: world.states()[1] is State.DEAF, 2 * SECOND)
    host = world.hosts[1]
    world.gateway = None
    world.deliver(host, HostObserved(host.view(world.now)))
    world.until(lambda: world.holders() == ["cp2"], 2 * SECOND)


def test_a_second_handover_answers_the_first() -> None:
    world = running(2)
    world.command(0, Verb.HANDOVER)
    world.power_off(1)
    world.until(lambda: world.states()[0] is State.RELEASE, 10 * MILLISECOND)
    world.until(lambda: world.states()[0] is State.HOLDER, SECOND)
    world.start(1)
    world.run(300 * MILLISECOND)
    world.command(0, Verb.HANDOVER)
    world.run(3 * SECOND)
    replies = [a.ok for _, a in world.sent(0, Reply) if isinstance(a, Reply)]
    assert replies == [False, True]


def test_a_server_that_goes_deaf_in_holdoff_claims_nothing() -> None:
    world = running(2)
    world.hosts[0].frozen = True
    world.until(lambda: world.states()[1] is State.HOLDOFF, SECOND)
    world.run(100 * MILLISECOND)
    begin = world.now
    world.cut = {(0, 1)}
    world.gateway_cut = {1}
    world.run(SECOND)
    assert State.CLAIM not in entered(world, 1, begin)
    assert world.states()[1] is State.DEAF


def test_two_holders_that_a_third_server_hears_become_one() -> None:
    world = running(3)
    world.cut = {(0, 1), (1, 0), (0, 2), (2, 0)}
    world.run(2 * SECOND)
    assert world.holders() == ["cp1", "cp2"]
    world.cut = {(0, 1), (1, 0)}
    world.until(lambda: world.holders() == ["cp2"], SECOND)
    causes = [a.cause for _, a in world.sent(0, Transition) if isinstance(a, Transition)]
    assert Cause.WITNESSED in causes


def test_an_unready_holder_does_not_hand_over_to_one_that_cannot_hear_it() -> None:
    world = running(2)
    world.adverts_cut = {(0, 1)}
    world.run(SECOND)
    begin = world.now
    world.refuse(0)
    world.run(5 * SECOND)
    assert State.RELEASE not in entered(world, 0, begin)


def test_rank_order_survives_the_loss_of_the_best_candidate_during_a_suspicion() -> None:
    """cp1 to cp4 suspect together; the best of them dies then. Two must not claim in one moment."""
    world = running(4)
    world.power_off(0)
    world.until(lambda: world.states()[1] is State.SUSPECT, SECOND)
    world.power_off(1)
    world.run(SECOND)
    claims = [
        t
        for index in (2, 3)
        for t, a in world.sent(index, Transition)
        if isinstance(a, Transition) and a.after is State.CLAIM
    ]
    assert len(claims) == 1
    assert len(world.holders()) == 1


def test_resignation_of_a_claimant_that_was_never_heard_is_taken_up() -> None:
    world = running(3)
    world.power_off(0)
    world.adverts_cut = {(1, 2)}
    world.until(lambda: world.holders() == ["cp2"], SECOND)
    assert world.states()[2] is not State.HOLDER
    world.adverts_cut = set()
    assert world.hosts[1].node is not None
    world.command(1, Verb.HANDOVER, to="cp3", force=True)
    world.until(lambda: world.holders() == ["cp3"], 100 * MILLISECOND)
    world.sample(2, Outcome.OK)
    world.run(SECOND)
    assert world.holders() == ["cp3"]


def test_a_handover_is_not_undone_by_preemption_at_once() -> None:
    world = running(2, preempt_after=5 * SECOND)
    world.run(10 * SECOND)
    world.command(0, Verb.HANDOVER)
    world.run(4 * SECOND)
    assert world.holders() == ["cp2"]
    world.run(2 * SECOND)
    assert world.holders() == ["cp1"]


def test_a_permanent_vip_seen_during_a_release_does_not_block_later_releases() -> None:
    world = running(2)
    host = world.hosts[0]
    assert host.node is not None
    released = host.node.handle(Commanded(1, Verb.RELEASE), world.now)
    vips = (VipView(VIP, AddressState.PERMANENT),)
    permanent = replace(host.view(world.now, gateway=GATEWAY), vips=vips)
    seen = host.node.handle(HostObserved(permanent), world.now)
    assert [a.ok for a in (*released, *seen) if isinstance(a, Reply)] == [False]
    host.lease_until = None
    world.deliver(host, Commanded(2, Verb.STANDBY_OFF))
    world.observe(0)
    world.power_off(1)
    world.until(lambda: world.holders() == ["cp1"], 3 * SECOND)
    world.command(0, Verb.RELEASE)
    world.until(lambda: world.holders() == [], SECOND)
