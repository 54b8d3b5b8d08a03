"""What predicates about servers, managers and the VIP say when not all was seen, or not twice."""

from __future__ import annotations

import pytest

from vipkeeper.diagnose.facts import Evidence, Fact, Value
from vipkeeper.diagnose.hypothesis import Predicate
from vipkeeper.diagnose.judgement import Truth
from vipkeeper.diagnose.predicates import api, logs, manager, serving, supervisor, vip
from vipkeeper.diagnose.vocabulary import Hello, Key, Manager, Port, Process, Ready

T = 1_700_000_000_000
SERVERS = Fact(Key.SERVERS, ("cp1", "cp2", "cp3"))
ONE = Fact(Key.SERVERS, ("cp1",))


def of(key: Key, value: Value, about: str = "cp1", *, s: int = 0, aspect: str = "") -> Fact:
    """What a server says of itself, so many seconds after the first look."""
    return Fact(key, value, about, at=T + s * 1000, aspect=aspect)


def seen(key: Key, value: Value, about: str = "", *, place: str = "w1", aspect: str = "") -> Fact:
    """What a place sees of a server, or of the VIP."""
    return Fact(key, value, about, vantage=place, at=T, aspect=aspect)


def ask(predicate: Predicate, *facts: Fact) -> Truth:
    return predicate.ask(Evidence(facts)).truth


def present(**on: bool) -> list[Fact]:
    return [of(Key.VIP_PRESENT, value, server) for server, value in on.items()]


def test_the_vip_is_nowhere_only_when_all_servers_were_seen() -> None:
    assert ask(vip.vip_nowhere, SERVERS, *present(cp1=False, cp2=False)) is Truth.UNKNOWN
    assert ask(vip.vip_nowhere, *present(cp1=False, cp2=False)) is Truth.UNKNOWN
    assert ask(vip.vip_nowhere, SERVERS, *present(cp1=False, cp2=False, cp3=False)) is Truth.TRUE
    assert ask(vip.vip_nowhere, SERVERS, *present(cp2=True)) is Truth.FALSE


def test_the_vip_leads_to_who_has_it_answers_for_it_or_is_alone() -> None:
    stopped = of(Key.SUPERVISOR, Process.STOPPED)
    leads = supervisor.vip_leads_to_stopped
    owner = seen(Key.VIP_MAC_OWNER, "cp1")
    assert ask(leads, SERVERS, stopped) is Truth.UNKNOWN
    assert ask(leads, SERVERS, stopped, *present(cp1=True)) is Truth.TRUE
    assert ask(leads, SERVERS, stopped, owner) is Truth.TRUE
    assert ask(leads, ONE, stopped) is Truth.TRUE
    assert ask(leads, SERVERS, stopped, *present(cp2=True)) is Truth.FALSE
    assert ask(leads, SERVERS, stopped, *present(cp1=False, cp2=False)) is Truth.UNKNOWN
    assert ask(leads, SERVERS, stopped, *present(cp1=False, cp2=False, cp3=False)) is Truth.FALSE


def test_a_server_that_was_not_seen_is_not_well() -> None:
    runs = of(Key.SUPERVISOR, Process.RUNNING, "cp2")
    assert ask(supervisor.stopped_behind_vip, SERVERS, runs, *present(cp1=True)) is Truth.UNKNOWN
    assert ask(supervisor.stopped_behind_vip, SERVERS, runs, *present(cp2=True)) is Truth.FALSE
    both = present(cp1=True, cp2=True)
    assert ask(supervisor.stopped_behind_vip, SERVERS, runs, *both) is Truth.UNKNOWN


def test_a_supervisor_that_has_been_starting_for_long_was_not_started_moments_ago() -> None:
    starting = of(Key.SUPERVISOR, Process.STARTING)
    judge = supervisor.started_moments_ago
    assert ask(judge, ONE, starting) is Truth.UNKNOWN
    assert ask(judge, ONE, starting, of(Key.SUPERVISOR_AGE, 20)) is Truth.TRUE
    assert ask(judge, ONE, starting, of(Key.SUPERVISOR_AGE, 900)) is Truth.FALSE
    behind = supervisor.starting_behind_vip
    assert ask(behind, ONE, starting, of(Key.SUPERVISOR_AGE, 900)) is Truth.FALSE
    assert ask(behind, ONE, starting) is Truth.UNKNOWN


def test_a_message_is_missing_only_when_all_logs_were_read() -> None:
    judge = logs.logged("said", "it is said", "one", "other")
    read = [of(Key.LOGS_READ, True, server) for server in ("cp1", "cp2", "cp3")]
    assert ask(judge, SERVERS, *read[:2]) is Truth.UNKNOWN
    assert ask(judge, *read) is Truth.UNKNOWN
    assert ask(judge, SERVERS, *read) is Truth.FALSE
    assert ask(judge, SERVERS, *read, of(Key.LOG, True, "cp2", aspect="other")) is Truth.TRUE
    assert ask(judge, SERVERS, *read, of(Key.LOG, False, "cp2", aspect="other")) is Truth.FALSE


REFUSES = seen(Key.SERVER_PORT, Port.REFUSED, "cp1", aspect="6443")


@pytest.mark.parametrize(
    ("facts", "truth"),
    [
        ((of(Key.API_PORT, Port.REFUSED),), Truth.TRUE),
        ((of(Key.API_PORT, Port.REFUSED), of(Key.READYZ, Ready.OK, s=15)), Truth.FALSE),
        ((of(Key.READYZ, Ready.OK), of(Key.API_PORT, Port.REFUSED, s=15)), Truth.TRUE),
        ((of(Key.READYZ, Ready.OK), REFUSES), Truth.FALSE),
        ((of(Key.READYZ, Ready.ETCD_FAILED),), Truth.UNKNOWN),
        ((seen(Key.SERVER_PORT, Port.SILENT, "cp1", aspect="6443"),), Truth.UNKNOWN),
        ((REFUSES,), Truth.TRUE),
    ],
    ids=[
        "refused",
        "later-ok",
        "refused-later",
        "firewall",
        "500-is-not-dead",
        "silent",
        "outside",
    ],
)
def test_an_api_server_is_dead_when_its_last_word_is_a_refusal(
    facts: tuple[Fact, ...], truth: Truth
) -> None:
    assert ask(api.api_dead, ONE, *facts) is truth


def test_401_does_not_outweigh_the_servers_own_500_of_the_same_time() -> None:
    ill = of(Key.READYZ, Ready.ETCD_FAILED)
    serves = seen(Key.SERVER_READYZ, Ready.UNAUTHORIZED, "cp1")
    assert ask(api.api_serves_somewhere, ONE, ill, serves) is Truth.FALSE
    assert ask(api.api_serves_somewhere, ONE, serves) is Truth.TRUE


def test_one_look_at_a_dead_api_server_is_no_finding() -> None:
    first, second = of(Key.API_PORT, Port.REFUSED), of(Key.API_PORT, Port.REFUSED, s=15)
    soon = of(Key.API_PORT, Port.REFUSED, s=5)
    between = of(Key.READYZ, Ready.OK, s=10)
    judge = api.api_down_for_a_moment
    assert ask(judge, ONE, first) is Truth.UNKNOWN
    assert ask(judge, ONE, first, soon) is Truth.UNKNOWN
    assert ask(judge, ONE, first, second) is Truth.FALSE
    assert ask(judge, ONE, first, between, second) is Truth.UNKNOWN
    failed = of(Key.CONTAINER, Process.FAILED, aspect="kube-apiserver")
    assert ask(judge, ONE, first, failed) is Truth.FALSE


def test_a_dead_manager_and_the_vip_count_on_one_server_only() -> None:
    dead = of(Key.MANAGER_STATE, Process.STOPPED)
    runs = of(Key.MANAGER_STATE, Process.RUNNING, "cp2")
    judge = manager.dead_manager_left_vip
    elsewhere = present(cp1=False, cp2=True, cp3=False)
    assert ask(judge, SERVERS, dead, *present(cp1=True)) is Truth.TRUE
    assert ask(judge, SERVERS, dead, runs, *elsewhere) is Truth.FALSE
    assert ask(judge, SERVERS, dead, *elsewhere) is Truth.UNKNOWN


def test_a_manager_leads_by_its_word_or_by_a_lease_that_is_renewed() -> None:
    runs = of(Key.MANAGER_STATE, Process.RUNNING)
    holder = Fact(Key.LEASE_HOLDER, "cp1")
    fresh, stale = Fact(Key.LEASE_FRESH, True), Fact(Key.LEASE_FRESH, False)
    judge = manager.a_manager_leads
    assert ask(judge, ONE, runs, of(Key.MANAGER_HOLDS, True)) is Truth.TRUE
    assert ask(judge, ONE, runs, holder, fresh) is Truth.TRUE
    assert ask(judge, ONE, runs, holder, stale) is Truth.FALSE
    assert ask(judge, ONE, runs, holder) is Truth.UNKNOWN
    assert ask(judge, ONE, of(Key.MANAGER_STATE, Process.STOPPED), holder, fresh) is Truth.FALSE


def test_a_lease_is_stuck_only_after_the_time_of_a_takeover() -> None:
    def held(name: str, s: int) -> Fact:
        return Fact(Key.LEASE_HOLDER, name, at=T + s * 1000)

    judge = manager.lease_changes_hands
    assert ask(judge, held("cp1", 0)) is Truth.UNKNOWN
    assert ask(judge, held("cp1", 0), held("cp1", 20)) is Truth.UNKNOWN
    assert ask(judge, held("cp1", 0), held("cp1", 40)) is Truth.FALSE
    assert ask(judge, held("cp1", 0), held("cp2", 40)) is Truth.TRUE


def test_the_holder_of_a_lease_may_be_no_server_at_all() -> None:
    stranger, nobody = Fact(Key.LEASE_HOLDER, "cp9"), Fact(Key.LEASE_HOLDER, "")
    assert ask(manager.lease_holder_has_no_vip, SERVERS, stranger) is Truth.TRUE
    assert ask(manager.lease_holder_has_no_vip, stranger) is Truth.UNKNOWN
    assert ask(manager.lease_holder_has_no_vip, SERVERS, nobody) is Truth.FALSE


def test_one_server_that_may_claim_is_enough() -> None:
    on = [of(Key.MANAGER_STANDBY, True, server) for server in ("cp1", "cp2")]
    judge = manager.all_on_standby
    assert ask(judge, SERVERS, *on) is Truth.UNKNOWN
    assert ask(judge, SERVERS, *on, of(Key.MANAGER_STANDBY, True, "cp3")) is Truth.TRUE
    assert ask(judge, SERVERS, *on, of(Key.MANAGER_STANDBY, False, "cp3")) is Truth.FALSE
    assert ask(judge, SERVERS, *on, Fact(Key.MANAGER, Manager.KUBE_VIP)) is Truth.FALSE


def test_a_server_without_kube_vip_does_not_hide_the_one_with_it() -> None:
    none = seen(Key.MANAGER, Manager.NONE, place="cp2")
    kube_vip = seen(Key.MANAGER, Manager.KUBE_VIP, place="cp1")
    assert ask(manager.manager_needs_no_lease, kube_vip, none) is Truth.FALSE
    assert ask(manager.manager_needs_no_lease, none) is Truth.UNKNOWN


def test_a_host_that_one_place_does_not_reach_may_be_well() -> None:
    down = seen(Key.SERVER_UP, False, "cp1")
    judge = serving.asker_alone_saw_it
    assert ask(judge, ONE, down) is Truth.UNKNOWN
    assert ask(judge, ONE, down, seen(Key.GATEWAY, False)) is Truth.TRUE
    assert ask(judge, ONE, down, seen(Key.SERVER_UP, False, "cp1", place="w2")) is Truth.FALSE
    assert ask(serving.only_api_down, ONE, down) is Truth.TRUE
    reached = seen(Key.SERVER_UP, True, "cp1", place="w2")
    assert ask(serving.only_api_down, ONE, down, reached) is Truth.UNKNOWN


def test_silence_is_judged_from_one_place() -> None:
    opens = seen(Key.VIP_PORT, Port.OPEN, aspect="6443")
    mute = seen(Key.VIP_HELLO, Hello.NO_ANSWER, aspect="6443")
    elsewhere = seen(Key.VIP_HELLO, Hello.NO_ANSWER, place="w2", aspect="6443")
    assert ask(serving.vip_connects_silently, opens, mute) is Truth.TRUE
    assert ask(serving.vip_connects_silently, opens, elsewhere) is Truth.FALSE
    assert ask(serving.vip_connects_silently, opens) is Truth.UNKNOWN
