"""Who holds the VIP after what, in virtual time."""

from __future__ import annotations

from dataclasses import replace

from support.cluster import VIP, Cluster
from vipkeeper.core.actions import (
    Alarm,
    AlarmKind,
    Announce,
    Cause,
    ChangeAddresses,
    ReadNeighbours,
    Reply,
    SendAdvert,
    State,
    Transition,
)
from vipkeeper.core.announcer import AFTER_CLAIM
from vipkeeper.core.events import NeighboursRead, Outcome, Verb
from vipkeeper.core.types import MILLISECOND, SECOND
from vipkeeper.wire.types import Role


def running(count: int = 3, **changes: object) -> Cluster:
    """A cluster at rest with cp1 holding."""
    world = Cluster(count, **changes)
    world.start()
    world.run(2 * SECOND)
    assert world.holders() == ["cp1"]
    return world


def test_first_claim_goes_to_the_first_configured_server_and_only_to_it() -> None:
    world = running()
    claims = [i for i in range(3) if world.sent(i, ChangeAddresses)]
    assert claims == [0]
    assert world.states() == [State.HOLDER, State.BACKUP, State.BACKUP]


def test_nobody_claims_before_it_has_listened() -> None:
    world = Cluster()
    world.start()
    world.run(200 * MILLISECOND)
    assert world.holders() == []


def test_cluster_of_one_holds_and_says_that_there_is_no_successor() -> None:
    world = running(1)
    alarms = [a for _, a in world.sent(0, Alarm)]
    assert [a.kind for a in alarms if isinstance(a, Alarm)] == [AlarmKind.NO_SUCCESSOR]


def test_power_off_is_taken_over_within_suspect_time_and_confirm_budget() -> None:
    world = running()
    world.power_off(0)
    took = world.until(lambda: world.holders() == ["cp2"], 400 * MILLISECOND)
    assert took <= 285 * MILLISECOND
    world.run(5 * SECOND)
    assert world.holders() == ["cp2"]


def test_vm_profile_is_one_interval_more_patient() -> None:
    from vipkeeper.core.types import Profile

    world = running(profile=Profile.VM)
    world.power_off(0)
    took = world.until(lambda: world.holders() == ["cp2"], 500 * MILLISECOND)
    assert 285 * MILLISECOND < took <= 385 * MILLISECOND


def test_when_holder_and_first_successor_go_together_the_third_takes_over() -> None:
    world = running()
    world.power_off(0)
    world.power_off(1)
    world.until(lambda: world.holders() == ["cp3"], 400 * MILLISECOND)


def test_killed_daemon_keeps_serving_until_its_lease_lapses_and_never_two_hold() -> None:
    world = running()
    world.kill_daemon(0)
    for _ in range(4000):
        world.run(MILLISECOND)
        assert len(world.holders()) <= 1
        if world.holders() == ["cp2"]:
            break
    assert world.holders() == ["cp2"]
    causes = [a.cause for _, a in world.sent(1, Transition) if isinstance(a, Transition)]
    assert Cause.VIP_ANSWERS in causes
    assert causes[-1] is Cause.LEASE_LAPSED_ELSEWHERE


def test_gap_after_the_lapse_is_twelve_probes() -> None:
    world = running()
    world.kill_daemon(0)
    world.until(lambda: world.holders() == [], 4 * SECOND)
    gap = world.until(lambda: world.holders() == ["cp2"], SECOND)
    assert gap <= 200 * MILLISECOND


def test_restart_inside_the_lease_adopts_the_vip_without_a_move() -> None:
    world = running()
    world.run(300 * MILLISECOND)
    world.kill_daemon(0)
    world.run(1500 * MILLISECOND)
    world.start(0)
    world.run(5 * SECOND)
    assert world.holders() == ["cp1"]
    assert not world.sent(1, ChangeAddresses)
    assert not world.sent(2, ChangeAddresses)
    assert any(
        isinstance(a, Transition) and a.cause is Cause.ADOPTED for _, a in world.sent(0, Transition)
    )


def test_restart_after_the_lease_does_not_take_the_vip_back() -> None:
    world = running()
    world.kill_daemon(0)
    world.run(5 * SECOND)
    assert world.holders() == ["cp2"]
    world.start(0)
    world.run(5 * SECOND)
    assert world.holders() == ["cp2"]


def test_holder_frozen_beyond_its_lease_is_demoted_when_it_wakes() -> None:
    world = running()
    world.hosts[0].frozen = True
    world.run(6 * SECOND)
    assert world.holders() == ["cp2"]
    world.thaw(0)
    for _ in range(2000):
        world.run(MILLISECOND)
        assert world.holders() == ["cp2"]
    causes = [a.cause for _, a in world.sent(0, Transition) if isinstance(a, Transition)]
    assert Cause.LEASE_LAPSED in causes


def test_holder_frozen_for_less_than_its_lease_keeps_the_vip() -> None:
    world = running()
    world.hosts[0].frozen = True
    world.run(1500 * MILLISECOND)
    world.thaw(0)
    world.run(3 * SECOND)
    assert world.holders() == ["cp1"]
    assert not world.sent(1, ChangeAddresses)


def test_backup_frozen_for_a_while_claims_nothing_when_it_wakes() -> None:
    world = running()
    world.hosts[1].frozen = True
    world.run(2 * SECOND)
    world.thaw(1)
    world.run(SECOND)
    assert world.holders() == ["cp1"]
    assert not world.sent(1, ChangeAddresses)


def test_an_arp_answer_alone_delays_a_claim_at_most_t_l() -> None:
    world = running()
    world.arp_only.add(0)
    world.power_off(0)
    took = world.until(lambda: world.holders() == ["cp2"], 6 * SECOND)
    bound = world.hosts[1].settings.unconditional_after + 300 * MILLISECOND
    assert SECOND < took <= bound


def test_shutdown_releases_first_and_the_named_successor_claims_at_once() -> None:
    world = running()
    world.command(0, Verb.SHUTDOWN)
    took = world.until(lambda: world.holders() == ["cp2"], 20 * MILLISECOND)
    assert took <= 3 * MILLISECOND
    assert world.hosts[0].exited
    operations = [(t, a) for t, a in world.hosts[0].actions if isinstance(a, ChangeAddresses)]
    resigned = [
        t
        for t, a in world.hosts[0].actions
        if isinstance(a, SendAdvert) and a.advert.role is Role.RESIGNED
    ]
    assert len(resigned) == 3
    assert operations[-1][0] < resigned[0]


def test_resignation_survives_when_the_named_successor_dies() -> None:
    world = running()
    world.cut.add((0, 1))
    world.command(0, Verb.SHUTDOWN)
    world.run(2 * MILLISECOND)
    world.power_off(1)
    world.until(lambda: world.holders() == ["cp3"], 500 * MILLISECOND)


def test_handover_to_a_named_server_is_answered_when_that_server_holds() -> None:
    world = running()
    world.command(0, Verb.HANDOVER, "cp3")
    world.until(lambda: world.holders() == ["cp3"], 20 * MILLISECOND)
    world.run(50 * MILLISECOND)
    replies = [a for _, a in world.sent(0, Reply) if isinstance(a, Reply)]
    assert len(replies) == 1
    assert replies[0].ok
    assert replies[0].text.startswith("cp3 holds the VIP")
    world.run(5 * SECOND)
    assert world.holders() == ["cp3"]


def test_handover_to_an_unready_or_silent_server_is_refused_without_force() -> None:
    world = running()
    world.sample(1, Outcome.SOFT)
    world.power_off(2)
    world.run(SECOND)
    world.command(0, Verb.HANDOVER, "cp2")
    world.command(0, Verb.HANDOVER, "cp3")
    world.command(0, Verb.HANDOVER)
    replies = [a for _, a in world.sent(0, Reply) if isinstance(a, Reply)]
    assert [r.ok for r in replies] == [False, False, False]
    assert "not known to be ready" in replies[0].text
    assert "silent" in replies[1].text
    world.command(0, Verb.HANDOVER, "cp2", force=True)
    world.run(SECOND)
    assert world.holders() == ["cp2"]


def test_release_stays_released_until_standby_off() -> None:
    world = running(1)
    world.command(0, Verb.RELEASE)
    world.run(5 * SECOND)
    assert world.holders() == []
    world.command(0, Verb.STANDBY_OFF)
    world.run(SECOND)
    assert world.holders() == ["cp1"]


def test_standby_server_is_never_the_successor() -> None:
    world = running()
    world.command(1, Verb.STANDBY_ON)
    world.run(300 * MILLISECOND)
    world.power_off(0)
    world.until(lambda: world.holders() == ["cp3"], 500 * MILLISECOND)


def test_refused_api_moves_the_vip_at_once_to_a_ready_server() -> None:
    world = running()
    world.refuse(0)
    took = world.until(lambda: world.holders() == ["cp2"], 250 * MILLISECOND)
    assert took <= 5 * MILLISECOND


def test_one_refusal_is_no_hard_failure() -> None:
    world = running()
    world.sample(0, Outcome.HARD)
    world.run(5 * SECOND)
    assert world.holders() == ["cp1"]


def test_an_api_server_that_stands_still_moves_at_once_and_says_why() -> None:
    world = running()
    world.sample(0, Outcome.STALLED)
    world.until(lambda: world.holders() == ["cp2"], 400 * MILLISECOND)
    causes = [a.cause for _, a in world.sent(0, Transition) if isinstance(a, Transition)]
    assert Cause.API_STALLED in causes
    assert Cause.API_DOWN not in causes


def test_one_that_stood_still_and_answers_errors_gets_the_time_of_a_soft_failure() -> None:
    world = running()
    for index in (1, 2):
        world.sample(index, Outcome.SOFT)
    world.run(SECOND)
    world.sample(0, Outcome.STALLED)
    world.sample(0, Outcome.SOFT)
    for _ in range(2):
        world.sample(1, Outcome.OK)
    world.run(3900 * MILLISECOND)
    assert world.holders() == ["cp1"]
    world.until(lambda: world.holders() == ["cp2"], 400 * MILLISECOND)


def test_soft_failure_moves_only_after_four_seconds_of_one_ready_peer() -> None:
    world = running()
    world.sample(0, Outcome.SOFT)
    world.run(3900 * MILLISECOND)
    assert world.holders() == ["cp1"]
    world.until(lambda: world.holders() == ["cp2"], 400 * MILLISECOND)


def test_etcd_election_that_makes_all_unready_seconds_apart_moves_nothing() -> None:
    world = running()
    for index, after in ((2, 0), (1, 1500), (0, 1000)):
        world.run(after * MILLISECOND)
        world.sample(index, Outcome.SOFT)
    world.run(3 * SECOND)
    for index in (2, 1, 0):
        world.sample(index, Outcome.OK)
        world.sample(index, Outcome.OK)
        world.run(1500 * MILLISECOND)
    world.run(5 * SECOND)
    assert world.holders() == ["cp1"]


def test_all_unready_together_never_moves_and_never_empties_the_vip() -> None:
    world = running()
    for index in range(3):
        world.sample(index, Outcome.HARD)
    world.run(60 * MILLISECOND)
    for index in range(3):
        world.sample(index, Outcome.HARD)
    for _ in range(300):
        world.run(100 * MILLISECOND)
        assert world.holders() == ["cp1"]


def test_takeover_prefers_the_ready_server_over_the_configured_order() -> None:
    world = running()
    world.sample(1, Outcome.SOFT)
    world.run(300 * MILLISECOND)
    world.power_off(0)
    world.until(lambda: world.holders() == ["cp3"], 500 * MILLISECOND)


def test_no_preemption_by_default_and_after_a_delay_when_asked_for() -> None:
    world = running()
    world.command(0, Verb.HANDOVER, "cp3")
    world.run(60 * SECOND)
    assert world.holders() == ["cp3"]
    eager = running(preempt_after=10 * SECOND)
    eager.run(10 * SECOND)
    eager.command(0, Verb.HANDOVER, "cp3")
    eager.run(11 * SECOND)
    assert eager.holders() == ["cp1"]


def test_full_cut_makes_two_holders_and_healing_leaves_the_newer_claim() -> None:
    world = running()
    world.cut |= {(0, 1), (1, 0), (0, 2), (2, 0)}
    world.run(2 * SECOND)
    assert world.holders() == ["cp1", "cp2"]
    world.cut.clear()
    world.until(lambda: world.holders() == ["cp2"], 150 * MILLISECOND)
    world.run(5 * SECOND)
    assert world.holders() == ["cp2"]


def test_winner_of_a_conflict_announces_again() -> None:
    world = running()
    world.cut |= {(0, 1), (1, 0), (0, 2), (2, 0)}
    world.run(3 * SECOND)
    before = len(world.sent(1, Announce))
    world.cut.clear()
    world.run(300 * MILLISECOND)
    assert len(world.sent(1, Announce)) > before


def test_clients_that_were_cut_off_alone_while_the_vip_moved_learn_of_it_within_three_seconds() -> (
    None
):
    """No server misses another one, so nothing but the refresh tells them."""
    world = running()
    world.command(0, Verb.HANDOVER)
    world.until(lambda: world.holders() == ["cp2"], 400 * MILLISECOND)
    world.run(20 * SECOND)
    before = len(world.sent(1, Announce))
    world.run(3 * SECOND)
    assert len(world.sent(1, Announce)) > before


def test_unready_holder_alone_gives_way_to_a_ready_server_that_appears() -> None:
    world = running()
    world.power_off(1)
    world.power_off(2)
    world.sample(0, Outcome.SOFT)
    world.run(10 * SECOND)
    assert world.holders() == ["cp1"]
    world.start(1)
    world.until(lambda: world.holders() == ["cp2"], 500 * MILLISECOND)


def test_unready_holder_alone_does_not_refresh_its_announcements() -> None:
    world = running()
    world.power_off(1)
    world.power_off(2)
    world.sample(0, Outcome.SOFT)
    world.run(2 * SECOND)
    before = len(world.sent(0, Announce))
    world.run(120 * SECOND)
    assert world.holders() == ["cp1"]
    assert len(world.sent(0, Announce)) == before


def test_deleted_vip_is_put_back_after_a_probe() -> None:
    world = running()
    world.hosts[0].lease_until = None
    world.observe(0)
    took = world.until(lambda: world.holders() == ["cp1"], 200 * MILLISECOND)
    assert took >= 30 * MILLISECOND
    assert not world.sent(1, ChangeAddresses)


def test_deleted_vip_that_another_host_answers_for_is_not_put_back() -> None:
    world = running()
    world.hosts[0].lease_until = None
    world.hosts[2].lease_until = world.now + 100 * SECOND
    world.observe(0)
    world.run(100 * MILLISECOND)
    assert world.holders() == ["cp3"]


def test_lost_link_withdraws_the_vip_and_a_short_flap_brings_it_back() -> None:
    world = running(1)
    world.observe(0, link=False)
    world.run(5 * MILLISECOND)
    assert world.holders() == []
    assert world.states() == [State.BLOCKED]
    world.observe(0)
    world.run(SECOND)
    assert world.holders() == ["cp1"]


def test_configuration_that_differs_is_an_alarm_and_the_holder_keeps() -> None:
    world = Cluster()
    world.hosts[1].settings = replace(world.hosts[1].settings, cluster=b"another!")
    world.start()
    world.run(3 * SECOND)
    assert world.holders() == ["cp1"]
    kinds = [a.kind for _, a in world.sent(0, Alarm) if isinstance(a, Alarm)]
    assert AlarmKind.CONFIGURATION_DIFFERS in kinds


def test_every_vip_of_the_settings_is_meant() -> None:
    assert running().hosts[0].settings.vips == (VIP,)


def test_vip_answered_by_a_machine_that_is_no_server_is_an_alarm_and_never_claimed() -> None:
    world = running()
    stranger = bytes.fromhex("02000000ff01")
    servers = tuple(
        (h.settings.servers[h.index].address, bytes([2, 0, 0, 0, 0, h.index])) for h in world.hosts
    )
    world.power_off(0)
    world.stranger = stranger
    world.run(3 * SECOND)
    assert world.holders() == []
    assert world.states()[1:] == [State.HOLDOFF, State.HOLDOFF]
    assert world.sent(1, ReadNeighbours)
    world.deliver(world.hosts[1], NeighboursRead(servers[:1]))
    assert AlarmKind.FOREIGN_ANSWER not in kinds_of_alarms(world, 1)
    world.deliver(world.hosts[1], NeighboursRead(servers))
    assert AlarmKind.FOREIGN_ANSWER in kinds_of_alarms(world, 1)


def kinds_of_alarms(world: Cluster, index: int) -> list[AlarmKind]:
    return [a.kind for _, a in world.sent(index, Alarm) if isinstance(a, Alarm)]


def test_peer_with_a_longer_interval_is_not_suspected_while_it_keeps_it() -> None:
    world = Cluster()
    slow = replace(world.hosts[0].settings, advert_interval=300 * MILLISECOND)
    world.hosts[0].settings = slow
    world.start(0)
    world.run(2 * SECOND)
    world.start(1, 2)
    world.run(3 * SECOND)
    assert world.holders() == ["cp1"]
    begin = world.now
    world.run(5 * SECOND)
    later = [a for t, a in world.sent(1, Transition) if t > begin]
    assert later == []


def test_clients_learn_of_a_claim_alone_and_unready() -> None:
    world = Cluster()
    world.start(0, ready=False)
    world.sample(0, Outcome.SOFT)
    world.run(2 * SECOND)
    assert world.holders() == ["cp1"]
    assert len(world.sent(0, Announce)) == len(AFTER_CLAIM)
