"""What a suspicion asks, who can answer it, and what each answer changes. Virtual time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from support.cluster import Cluster
from vipkeeper.core.actions import (
    Alarm,
    AlarmKind,
    Cause,
    ProbeGateway,
    ProbeServer,
    SendAdvert,
    State,
    Transition,
)
from vipkeeper.core.events import AdvertReceived, AdvertRejected, Outcome, Verb
from vipkeeper.core.hearing import ASKS_UNTIL_DEAF
from vipkeeper.core.suspicion import CONFIRM_ROUNDS, ROUND_EVERY
from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.wire.types import Advert, Heard, Rejection, Role

GATEWAY = IPv4Address("10.10.10.1")


def running(count: int = 3, *, gateway: bool = True, **changes: object) -> Cluster:
    """A cluster at rest with cp1 holding."""
    world = Cluster(count, **changes)
    world.gateway = GATEWAY if gateway else None
    world.start()
    world.run(2 * SECOND)
    assert world.holders() == ["cp1"]
    return world


def causes(world: Cluster, index: int, since: int = 0) -> list[Cause]:
    found = world.sent(index, Transition)
    return [a.cause for t, a in found if isinstance(a, Transition) and t >= since]


def adverts(world: Cluster, index: int, since: int = 0) -> list[Advert]:
    return [
        a.advert
        for t, a in world.sent(index, SendAdvert)
        if isinstance(a, SendAdvert) and t >= since
    ]


def test_power_off_is_confirmed_before_the_budget_is_over_when_the_others_agree() -> None:
    world = running()
    holder = world.hosts[0]
    last = max(t for t, _ in holder.actions)
    world.power_off(0)
    took = world.until(lambda: world.holders() == ["cp2"], SECOND)
    settings = holder.settings
    agreed = settings.suspect_after + CONFIRM_ROUNDS * ROUND_EVERY
    assert world.now - last <= agreed + 5 * MILLISECOND
    assert took < settings.suspect_after + settings.confirm_budget


def test_two_servers_use_the_whole_budget() -> None:
    """There is nobody to agree with."""
    world = running(2)
    last = max(t for t, _ in world.hosts[0].actions)
    world.power_off(0)
    world.until(lambda: world.holders() == ["cp2"], SECOND)
    settings = world.hosts[1].settings
    assert world.now - last >= settings.suspect_after + settings.confirm_budget


def test_a_suspicion_asks_kernel_service_gateway_and_the_other_servers() -> None:
    world = running()
    begin = world.now
    world.power_off(0)
    world.until(lambda: world.holders() == ["cp2"], SECOND)
    asked = [a for t, a in world.sent(1, ProbeServer) if t >= begin and isinstance(a, ProbeServer)]
    assert {a.server for a in asked} == {0}
    assert [a.service for a in asked] == [True, False, False, True]
    assert world.sent(1, ProbeGateway)
    assert any(advert.asks for advert in adverts(world, 1, begin))


def test_who_is_asked_answers_at_once() -> None:
    world = running()
    begin = world.now
    world.power_off(0)
    world.until(lambda: world.states()[1] is State.SUSPECT, SECOND)
    world.run(10 * MILLISECOND)
    answers = [
        a
        for t, a in world.sent(2, SendAdvert)
        if t >= begin and isinstance(a, SendAdvert) and len(a.to) == 1
    ]
    assert [a.to for a in answers] == [(world.hosts[1].settings.servers[1].address,)]


def test_a_third_server_that_hears_the_holder_vouches_for_it() -> None:
    world = running()
    world.cut = {(0, 1), (1, 0)}
    begin = world.now
    world.run(20 * SECOND)
    assert world.holders() == ["cp1"]
    assert world.states() == [State.HOLDER, State.BACKUP, State.BACKUP]
    assert State.CLAIM not in {
        a.after for t, a in world.sent(1, Transition) if isinstance(a, Transition) and t >= begin
    }


def test_hearsay_keeps_its_age_and_cannot_refresh_itself() -> None:
    """Two servers that quote each other do not keep a dead holder alive."""
    world = running()
    world.cut = {(0, 1), (1, 0)}
    world.run(5 * SECOND)
    world.power_off(0)
    world.until(lambda: bool(world.holders()), 600 * MILLISECOND)


def test_a_server_in_standby_does_not_vouch_for_one_that_no_longer_holds() -> None:
    world = running()
    world.command(2, Verb.STANDBY_ON)
    world.cut = {(0, 1), (1, 0)}
    world.run(SECOND)
    world.command(0, Verb.RELEASE)
    world.until(lambda: world.holders() == ["cp2"], SECOND)


def test_kernel_of_a_silent_holder_answers_its_vip_is_gone() -> None:
    """Hold-off, and a claim after twelve rounds: the address may have been missed, not be gone."""
    world = running()
    world.kill_daemon(0)
    world.hosts[0].lease_until = None
    begin = world.now
    world.until(lambda: world.holders() == ["cp2"], SECOND)
    assert Cause.KERNEL_ANSWERS in causes(world, 1, begin)
    assert causes(world, 1, begin)[-1] is Cause.HOLDER_SILENT


def test_a_deaf_server_claims_nothing_and_follows_again_when_it_hears() -> None:
    world = running()
    world.cut = {(0, 1), (2, 1)}
    world.gateway_cut = {1}
    world.run(20 * SECOND)
    assert world.holders() == ["cp1"]
    assert world.states()[1] is State.DEAF
    assert [a.kind for _, a in world.sent(1, Alarm) if isinstance(a, Alarm)].count(
        AlarmKind.DEAF
    ) == 1
    world.cut, world.gateway_cut = set(), set()
    world.run(SECOND)
    assert world.states() == [State.HOLDER, State.BACKUP, State.BACKUP]
    assert causes(world, 1)[-2:] == [Cause.HEARS_AGAIN, Cause.HOLDER_HEARD]


def test_a_deaf_holder_gives_the_vip_away() -> None:
    world = running()
    world.cut = {(1, 0), (2, 0)}
    world.gateway_cut = {0}
    world.until(lambda: world.holders() == ["cp2"], 1500 * MILLISECOND)
    assert world.states()[0] is State.DEAF
    world.run(10 * SECOND)
    assert world.holders() == ["cp2"]


def test_without_a_gateway_deafness_forces_nothing() -> None:
    world = running(gateway=False)
    world.cut = {(1, 0), (2, 0)}
    world.run(10 * SECOND)
    assert world.holders() == ["cp1"]


def test_a_holder_that_lost_all_others_stays_while_its_gateway_answers() -> None:
    world = running()
    world.power_off(1)
    world.power_off(2)
    world.run(30 * SECOND)
    assert world.holders() == ["cp1"]


def test_a_cluster_of_one_is_never_deaf() -> None:
    world = running(1)
    world.gateway_cut = {0}
    world.run(10 * SECOND)
    assert world.holders() == ["cp1"]


def test_few_questions_do_not_make_deaf() -> None:
    world = running()
    world.cut = {(0, 1), (2, 1)}
    world.gateway_cut = {1}
    world.until(lambda: world.states()[1] is State.DEAF, 2 * SECOND)
    assert len(world.sent(1, ProbeGateway)) >= ASKS_UNTIL_DEAF


def holders_told(world: Cluster, milliseconds: int) -> int:
    """Milliseconds with more than one holder among the next ones."""
    two = 0
    for _ in range(milliseconds):
        world.run(MILLISECOND)
        two += len(world.holders()) > 1
    return two


def test_the_one_that_cannot_be_heard_yields_whatever_its_epoch() -> None:
    """cp2 claims with the newer epoch while cut off; then it hears cp1, which cannot hear it."""
    world = running(2)
    both = {(0, 1), (1, 0)}
    world.cut = both
    world.run(3 * SECOND)
    assert world.holders() == ["cp1", "cp2"]
    world.cut = {(1, 0)}
    settings = world.hosts[0].settings
    world.run(4 * settings.advert_interval)
    assert world.holders() == ["cp1"]
    assert Cause.UNHEARD in causes(world, 1)
    world.run(10 * SECOND)
    assert world.holders() == ["cp1"]


def test_a_holder_that_cannot_send_yields_within_moments() -> None:
    world = running()
    world.cut = {(0, 1), (0, 2)}
    world.gateway_cut = {0}
    assert holders_told(world, 2000) <= 5
    assert world.holders() == ["cp2"]


def wrong_key(world: Cluster, index: int, source: int) -> Callable[[], None]:
    """Feed a server adverts of another one that do not authenticate, each interval."""
    host = world.hosts[index]
    address = host.settings.servers[source].address

    def again() -> None:
        world.deliver(host, AdvertRejected(address, Rejection.WRONG_KEY))
        world.at(world.now + host.settings.advert_interval, again)

    return again


def test_adverts_with_another_key_delay_a_claim_at_most_t_l() -> None:
    world = running(2)
    world.power_off(0)
    wrong_key(world, 1, 0)()
    settings = world.hosts[1].settings
    took = world.until(lambda: world.holders() == ["cp2"], 10 * SECOND)
    assert settings.unconditional_after <= took
    assert took <= settings.unconditional_after + settings.suspect_after + SECOND
    assert Cause.STRANGER_HEARD in causes(world, 1)


def test_a_replay_from_before_this_start_is_not_believed() -> None:
    """A captured advert of a holder of long ago: somebody may be there, nothing it says counts."""
    world = running(2)
    captured = adverts(world, 0)[-1]
    assert captured.role is Role.HOLDER
    world.power_off(0)
    world.power_off(1)
    world.start(1)
    host = world.hosts[1]
    source = host.settings.servers[0].address

    def replay(n: int) -> None:
        advert = replace(captured, counter=captured.counter + n, epoch=2**40)
        world.deliver(host, AdvertReceived(source, advert, world.now))

    for n in range(20):
        world.at(world.now + n * 100 * MILLISECOND, lambda n=n: replay(n))  # type: ignore[misc]
    world.until(lambda: world.holders() == ["cp2"], 10 * SECOND)
    assert host.node is not None
    assert host.node.epoch < 2**40


def test_an_unproven_server_is_answered_once_an_interval_so_that_it_can_prove_itself() -> None:
    world = running(2)
    host = world.hosts[0]
    source = host.settings.servers[1].address
    stranger = replace(adverts(world, 1)[-1], boot_id=77, heard=())
    begin = world.now
    for n in range(50):
        event = AdvertReceived(source, replace(stranger, counter=n + 1), world.now)
        world.deliver(host, event)
        world.run(MILLISECOND)
    answers = [
        a.advert
        for t, a in world.sent(0, SendAdvert)
        if t >= begin and isinstance(a, SendAdvert) and a.advert.heard[1].boot_id == 77
    ]
    assert len(answers) == 1
    assert answers[0].heard[1] == Heard(77, 0)


def test_a_restarted_server_is_believed_within_moments() -> None:
    world = running()
    world.kill_daemon(1)
    world.run(SECOND)
    world.start(1)
    world.run(5 * MILLISECOND)
    assert world.states()[1] is State.BACKUP


def test_move_budget_holds_back_a_server_that_claims_too_often() -> None:
    world = running(2, move_budget=2, soft_failure_after=0)
    for _ in range(2):
        for holder in (0, 1):
            world.refuse(holder)
            world.run(200 * MILLISECOND)
            world.sample(holder, Outcome.OK)
            world.sample(holder, Outcome.OK)
            world.run(SECOND)
    before = world.holders()
    world.refuse(int(before[0][2]) - 1)
    world.run(5 * SECOND)
    assert world.holders() == before


def test_a_held_server_still_claims_what_nobody_serves() -> None:
    world = running(2, move_budget=1)
    node = world.hosts[1].node
    assert node is not None
    node.budget.charge(world.now)
    world.run(SECOND)
    begin = world.now
    world.power_off(0)
    took = world.until(lambda: world.holders() == ["cp2"], 10 * SECOND)
    settings = world.hosts[1].settings
    assert took >= settings.unconditional_after
    assert Cause.BUDGET_SPENT in causes(world, 1, begin)
    assert AlarmKind.BUDGET_SPENT in [
        a.kind for _, a in world.sent(1, Alarm) if isinstance(a, Alarm)
    ]


def test_planned_moves_are_not_charged() -> None:
    world = running(2, move_budget=1)
    for n in range(6):
        world.command(n % 2, Verb.HANDOVER)
        world.run(2 * SECOND)
    assert world.holders() == ["cp1"]
    world.power_off(0)
    world.until(lambda: world.holders() == ["cp2"], SECOND)


def test_a_resignation_read_late_is_no_licence_to_claim_unasked() -> None:
    """cp2 is named, but stands still; cp3 claims; cp2 goes on."""
    world = running()
    world.hosts[1].frozen = True
    world.command(0, Verb.HANDOVER, to="cp2")
    world.until(lambda: world.holders() == ["cp3"], 2 * SECOND)
    begin = world.now
    world.thaw(1)
    assert holders_told(world, 1000) == 0
    assert world.holders() == ["cp3"]
    assert State.CLAIM not in {
        a.after for t, a in world.sent(1, Transition) if isinstance(a, Transition) and t >= begin
    }


@pytest.mark.parametrize("standstill", [1, 5, 60])
def test_a_daemon_that_stood_still_in_holdoff_asks_again_before_it_claims(standstill: int) -> None:
    world = running(2)
    world.adverts_cut = {(0, 1), (1, 0)}
    world.until(lambda: world.states()[1] is State.HOLDOFF, SECOND)
    world.run(SECOND)
    world.hosts[1].frozen = True
    world.run(standstill * SECOND)
    world.thaw(1)
    assert holders_told(world, 3000) == 0
    assert world.holders() == ["cp1"]


def test_strict_lease_lapses_when_adverts_stopped_leaving() -> None:
    world = running(strict_lease=400 * MILLISECOND)
    world.hosts[0].frozen = True
    world.run(500 * MILLISECOND)
    begin = world.now
    world.thaw(0)
    assert causes(world, 0, begin)[0] is Cause.LEASE_LAPSED


def test_strict_lease_of_a_cluster_of_one_is_renewed_by_an_advert_to_nobody() -> None:
    world = running(1, strict_lease=400 * MILLISECOND)
    world.run(5 * SECOND)
    assert world.holders() == ["cp1"]
    assert {a.to for _, a in world.sent(0, SendAdvert) if isinstance(a, SendAdvert)} == {()}
