"""What predicates about etcd say when not all was seen, or not twice, or from one place only."""

from __future__ import annotations

from vipkeeper.diagnose.facts import Evidence, Fact, Value
from vipkeeper.diagnose.hypothesis import Predicate
from vipkeeper.diagnose.judgement import Truth
from vipkeeper.diagnose.predicates import datastore, etcd
from vipkeeper.diagnose.vocabulary import Datastore, Etcd, Key, Port, Process, Ready

T = 1_700_000_000_000
SERVERS = Fact(Key.SERVERS, ("cp1", "cp2", "cp3"))
ONE = Fact(Key.SERVERS, ("cp1",))
VOTERS = Fact(Key.VOTERS, 3)
LEADERLESS = Fact(Key.ETCD_HEALTH, Etcd.NO_LEADER, "cp1", at=T)


def of(key: Key, value: Value, about: str = "cp1", *, s: int = 0, aspect: str = "") -> Fact:
    """What a server says of itself, so many seconds after the first look."""
    return Fact(key, value, about, at=T + s * 1000, aspect=aspect)


def up(value: bool, about: str, place: str) -> Fact:
    return Fact(Key.SERVER_UP, value, about, vantage=place, at=T)


def ask(predicate: Predicate, *facts: Fact) -> Truth:
    return predicate.ask(Evidence(facts)).truth


def test_each_missing_server_must_be_missed_from_two_places() -> None:
    from_cp1 = (up(False, "cp2", "cp1"), up(False, "cp3", "cp1"))
    judge = etcd.others_answer_somebody_else
    assert ask(judge, *from_cp1) is Truth.UNKNOWN
    assert ask(judge, *from_cp1, up(False, "cp2", "w1")) is Truth.UNKNOWN
    assert ask(judge, *from_cp1, up(False, "cp2", "w1"), up(False, "cp3", "w1")) is Truth.FALSE
    assert ask(judge, *from_cp1, up(False, "cp2", "w1"), up(True, "cp3", "w1")) is Truth.TRUE


def test_readyz_that_is_ok_includes_a_leader() -> None:
    assert ask(etcd.no_leader, ONE, of(Key.READYZ, Ready.OK)) is Truth.FALSE
    assert ask(etcd.no_leader, ONE, of(Key.READYZ, Ready.UNAUTHORIZED)) is Truth.UNKNOWN
    assert ask(etcd.no_leader, ONE, of(Key.READYZ, Ready.ETCD_FAILED)) is Truth.TRUE


def test_three_servers_of_which_one_is_left_are_no_cluster_of_one() -> None:
    assert ask(etcd.only_one_server, ONE) is Truth.TRUE
    assert ask(etcd.only_one_server, ONE, VOTERS) is Truth.FALSE
    assert ask(etcd.only_one_server, SERVERS, Fact(Key.VOTERS, 1)) is Truth.FALSE
    assert ask(etcd.only_one_server, Fact(Key.VOTERS, 1)) is Truth.TRUE
    assert ask(etcd.only_one_server) is Truth.UNKNOWN


def test_one_look_of_two_servers_whose_clocks_differ_is_no_second_look() -> None:
    later = of(Key.ETCD_HEALTH, Etcd.NO_LEADER, "cp2", s=3600)
    assert ask(etcd.leaderless_for_long, SERVERS, LEADERLESS, later) is Truth.UNKNOWN


def test_an_election_is_told_from_a_lost_quorum_by_a_second_look() -> None:
    judge = etcd.leaderless_for_long
    again, back = (of(Key.ETCD_HEALTH, word, s=15) for word in (Etcd.NO_LEADER, Etcd.HEALTHY))
    assert ask(judge, SERVERS, LEADERLESS) is Truth.UNKNOWN
    assert ask(judge, SERVERS, LEADERLESS, again) is Truth.TRUE
    assert ask(judge, SERVERS, LEADERLESS, back) is Truth.FALSE
    assert ask(judge, SERVERS, LEADERLESS, back, of(Key.ETCD_HEALTH, Etcd.NO_LEADER, s=20)) is (
        Truth.UNKNOWN
    )
    assert ask(etcd.leaderless_at_a_time, SERVERS, LEADERLESS, back) is Truth.TRUE


def test_cut_off_is_what_the_server_itself_cannot_reach() -> None:
    judge = etcd.reaches_no_other
    assert ask(judge, SERVERS, LEADERLESS, up(False, "cp2", "cp1")) is Truth.TRUE
    assert ask(judge, SERVERS, LEADERLESS, up(False, "cp2", "w1")) is Truth.UNKNOWN
    both = (up(False, "cp2", "cp1"), up(True, "cp3", "cp1"))
    assert ask(judge, SERVERS, LEADERLESS, *both) is Truth.FALSE
    assert ask(judge, SERVERS, of(Key.ETCD_HEALTH, Etcd.HEALTHY)) is Truth.FALSE


def test_others_are_down_when_a_place_that_is_not_cut_off_says_so_of_all() -> None:
    judge = etcd.others_go_on
    own = (up(False, "cp2", "cp1"), up(False, "cp3", "cp1"))
    assert ask(judge, SERVERS, LEADERLESS, *own) is Truth.UNKNOWN
    assert ask(judge, SERVERS, LEADERLESS, up(False, "cp2", "w1")) is Truth.UNKNOWN
    elsewhere = (up(False, "cp2", "w1"), up(False, "cp3", "w1"))
    assert ask(judge, SERVERS, LEADERLESS, *own, *elsewhere) is Truth.FALSE
    fine = Fact(Key.SERVER_READYZ, Ready.OK, "cp2", vantage="w1", at=T)
    assert ask(judge, SERVERS, LEADERLESS, *own, fine) is Truth.TRUE


def test_enough_voters_are_there_with_or_without_a_leader() -> None:
    port = Fact(Key.SERVER_PORT, Port.OPEN, "cp2", vantage="w1", aspect="2380")
    judge = etcd.enough_voters_there
    assert ask(judge, SERVERS, VOTERS, LEADERLESS) is Truth.UNKNOWN
    assert ask(judge, SERVERS, VOTERS, LEADERLESS, port) is Truth.TRUE
    assert ask(judge, SERVERS, LEADERLESS, port) is Truth.UNKNOWN


def test_a_learner_of_moments_ago_will_be_promoted() -> None:
    learner = of(Key.ETCD_LEARNER, True)
    judge = datastore.learner_for_a_moment
    assert ask(judge, ONE, learner) is Truth.UNKNOWN
    assert ask(judge, ONE, learner, of(Key.SUPERVISOR_AGE, 30)) is Truth.TRUE
    assert ask(judge, ONE, learner, of(Key.SUPERVISOR_AGE, 900)) is Truth.FALSE
    stalled = of(Key.LOG, True, "cp2", aspect="learner-stalled")
    assert ask(judge, ONE, learner, of(Key.SUPERVISOR_AGE, 30), stalled) is Truth.FALSE


def test_a_container_that_ended_does_not_outweigh_an_etcd_that_answers() -> None:
    ended = of(Key.CONTAINER, Process.STOPPED, aspect="etcd")
    assert ask(datastore.etcd_down, ONE, ended) is Truth.TRUE
    assert ask(datastore.etcd_down, ONE, ended, LEADERLESS) is Truth.FALSE


def test_no_container_named_etcd_is_no_missing_etcd() -> None:
    absent = of(Key.CONTAINER, Process.ABSENT, aspect="etcd")
    assert ask(datastore.etcd_down, ONE, absent) is Truth.UNKNOWN


def test_one_look_at_an_etcd_that_refuses_is_no_finding() -> None:
    first, second = (of(Key.ETCD_HEALTH, Etcd.REFUSED, s=s) for s in (0, 15))
    judge = datastore.etcd_down_for_a_moment
    assert ask(judge, ONE, first) is Truth.UNKNOWN
    assert ask(judge, ONE, first, second) is Truth.FALSE
    loop = of(Key.CONTAINER, Process.RESTARTING, aspect="etcd")
    assert ask(judge, ONE, first, loop) is Truth.FALSE


def test_the_datastore_is_well_where_the_vip_leads_or_nobody_knows() -> None:
    judge = datastore.datastore_ill_behind_vip
    vip = of(Key.VIP_PRESENT, True)
    assert ask(judge, SERVERS, vip, of(Key.ETCD_HEALTH, Etcd.HEALTHY, "cp2")) is Truth.UNKNOWN
    assert ask(judge, SERVERS, vip, of(Key.ETCD_HEALTH, Etcd.HEALTHY)) is Truth.FALSE
    assert ask(judge, SERVERS, vip, LEADERLESS) is Truth.TRUE
    assert ask(judge, SERVERS, vip, Fact(Key.DATASTORE, Datastore.SQLITE)) is Truth.FALSE


def test_voters_are_those_of_an_etcd() -> None:
    assert ask(datastore.datastore_not_etcd) is Truth.UNKNOWN
    assert ask(datastore.datastore_not_etcd, VOTERS) is Truth.FALSE
    external = Fact(Key.DATASTORE, Datastore.EXTERNAL)
    assert ask(datastore.datastore_not_etcd, VOTERS, external) is Truth.TRUE
