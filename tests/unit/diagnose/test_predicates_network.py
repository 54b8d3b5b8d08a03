"""Who answers for the VIP, who does not hear it, and what keeps it from a client."""

from __future__ import annotations

import pytest

from vipkeeper.diagnose.facts import Evidence, Fact
from vipkeeper.diagnose.judgement import Truth
from vipkeeper.diagnose.predicates.network import (
    another_server_uses_it,
    capturing_node_gets_no_answer,
    dad_failed,
    gateway_silent,
    holder_filters,
    holder_ignores_arp,
    holder_itself_is_heard,
    no_server_answers_there,
    nobody_hears_it,
    silent_elsewhere_too,
    stale_place_gets_no_answer,
    stranger_answers,
)
from vipkeeper.diagnose.vocabulary import Key, Port

SERVERS = Fact(Key.SERVERS, ("cp1", "cp2"))
HOLDER = (SERVERS, Fact(Key.VIP_PRESENT, True, "cp1"), Fact(Key.VIP_PRESENT, False, "cp2"))


def owner(value: str, at: int = 0, place: str = "client") -> Fact:
    return Fact(Key.VIP_MAC_OWNER, value, vantage=place, at=at, raw=value)


def macs(*values: str, at: int = 0, place: str = "client") -> Fact:
    return Fact(Key.VIP_MACS, values, vantage=place, at=at)


def port(met: Port, number: str = "6443", place: str = "client") -> Fact:
    return Fact(Key.VIP_PORT, met, vantage=place, aspect=number)


@pytest.mark.parametrize(
    ("facts", "truth"),
    [
        ((SERVERS, owner("none")), Truth.TRUE),
        ((owner("none"),), Truth.UNKNOWN),
        ((SERVERS, owner("cp1")), Truth.FALSE),
        ((SERVERS, owner("cp1"), owner("none")), Truth.TRUE),
        ((SERVERS, owner("none", at=1), owner("cp1", at=2)), Truth.FALSE),
        (
            (SERVERS, owner("none"), Fact(Key.VIP_ON_LINK, False, vantage="client")),
            Truth.UNKNOWN,
        ),
        ((SERVERS, owner("none"), macs("00:00:5E:00:01:33")), Truth.UNKNOWN),
        ((SERVERS, macs()), Truth.FALSE),
    ],
    ids=[
        "no server's",
        "servers not known",
        "a server's",
        "both answer",
        "gone since",
        "through a router",
        "a virtual router's address",
        "nobody answers",
    ],
)
def test_a_stranger_is_one_only_when_all_servers_are_known_and_on_link(
    facts: tuple[Fact, ...], truth: Truth
) -> None:
    assert stranger_answers.ask(Evidence(facts)).truth is truth


@pytest.mark.parametrize(
    ("facts", "truth"),
    [
        ((macs(at=1000),), Truth.UNKNOWN),
        ((macs(at=1000), macs(at=11_000)), Truth.TRUE),
        ((macs(at=1000), macs("02:00:00:00:00:01", at=11_000)), Truth.FALSE),
        ((macs(at=1000, place="cp1"), macs(at=11_000, place="cp1")), Truth.UNKNOWN),
        (
            (
                macs(at=1000),
                macs(at=11_000),
                Fact(Key.VIP_ON_LINK, False, vantage="client"),
            ),
            Truth.UNKNOWN,
        ),
    ],
    ids=["one look", "two looks", "one answer", "the holder asks itself", "through a router"],
)
def test_nobody_hears_the_vip(facts: tuple[Fact, ...], truth: Truth) -> None:
    assert nobody_hears_it.ask(Evidence((*HOLDER, *facts))).truth is truth


def test_the_holder_is_heard_by_others_and_not_by_itself() -> None:
    itself = Evidence((*HOLDER, Fact(Key.SERVER_UP, True, "cp1", "cp1")))
    assert holder_itself_is_heard.ask(itself).truth is Truth.UNKNOWN
    other = Evidence((*HOLDER, Fact(Key.SERVER_UP, True, "cp1", "cp2")))
    assert holder_itself_is_heard.ask(other).truth is Truth.TRUE


@pytest.mark.parametrize(
    ("server", "number", "met", "truth"),
    [
        ("cp1", "6443", Port.SILENT, Truth.TRUE),
        ("cp1", "9345", Port.SILENT, Truth.UNKNOWN),
        ("cp2", "6443", Port.SILENT, Truth.UNKNOWN),
        ("cp1", "6443", Port.OPEN, Truth.UNKNOWN),
    ],
    ids=["as asked", "another port", "not the holder", "open all the same"],
)
def test_a_rule_counts_on_the_holder_for_a_port_that_is_shut(
    server: str, number: str, met: Port, truth: Truth
) -> None:
    rule = Fact(Key.VIP_FILTERED, True, server, aspect=number)
    assert holder_filters.ask(Evidence((*HOLDER, rule, port(met)))).truth is truth


def test_what_is_missing_about_a_known_holder_is_only_its_setting() -> None:
    judged = holder_ignores_arp.ask(Evidence(HOLDER))
    assert judged.truth is Truth.UNKNOWN
    assert set(judged.needs) == {Key.ARP_IGNORED}


def test_a_stale_place_is_judged_by_its_own_connections() -> None:
    stale = Fact(Key.VIP_STALE, True, vantage="client")
    elsewhere = Evidence((stale, port(Port.SILENT, place="worker")))
    assert stale_place_gets_no_answer.ask(elsewhere).truth is Truth.UNKNOWN
    there = Evidence((stale, port(Port.SILENT)))
    assert stale_place_gets_no_answer.ask(there).truth is Truth.TRUE


def test_a_captured_vip_is_judged_from_the_node_that_captures_it() -> None:
    taken = Fact(Key.VIP_CAPTURED, True, "worker")
    elsewhere = Evidence((taken, port(Port.REFUSED)))
    assert capturing_node_gets_no_answer.ask(elsewhere).truth is Truth.UNKNOWN
    there = Evidence((taken, port(Port.REFUSED, place="worker")))
    assert capturing_node_gets_no_answer.ask(there).truth is Truth.TRUE


def test_duplicate_address_detection_is_no_matter_of_ipv4() -> None:
    assert dad_failed.ask(Evidence((SERVERS, Fact(Key.VIP, "192.0.2.1")))).truth is Truth.FALSE
    assert dad_failed.ask(Evidence((SERVERS, Fact(Key.VIP, "2001:db8::1")))).truth is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("failed", "truth"),
    [((True,), Truth.FALSE), ((False,), Truth.TRUE), ((), Truth.UNKNOWN)],
    ids=["not used", "used", "not known"],
)
def test_a_holder_uses_the_vip_unless_its_detection_failed(
    failed: tuple[bool, ...], truth: Truth
) -> None:
    marks = (Fact(Key.VIP_DAD_FAILED, value, "cp1") for value in failed)
    assert another_server_uses_it.ask(Evidence((*HOLDER, *marks))).truth is truth


GATEWAY = Fact(Key.GATEWAY, True, vantage="worker")


def sees(place: str, server: str) -> Fact:
    return Fact(Key.SERVER_UP, True, server, place)


def unreached(place: str, *servers: str) -> tuple[Fact, ...]:
    down = (Fact(Key.SERVER_UP, False, server, place) for server in servers)
    return (SERVERS, Fact(Key.GATEWAY, False, vantage=place), *down)


def test_a_place_is_cut_off_when_every_server_is_away_from_there() -> None:
    assert no_server_answers_there.ask(Evidence(unreached("client", "cp1"))).truth is Truth.UNKNOWN
    both = Evidence(unreached("client", "cp1", "cp2"))
    assert no_server_answers_there.ask(both).truth is Truth.TRUE


def test_a_server_without_a_network_is_no_asker() -> None:
    lonely = Evidence(unreached("cp1", "cp1", "cp2"))
    assert gateway_silent.ask(lonely).truth is Truth.UNKNOWN
    assert no_server_answers_there.ask(lonely).truth is Truth.UNKNOWN
    assert gateway_silent.ask(Evidence(unreached("client", "cp2"))).truth is Truth.TRUE


@pytest.mark.parametrize(
    ("facts", "truth"),
    [
        ((port(Port.SILENT),), Truth.UNKNOWN),
        ((port(Port.SILENT, place="worker"),), Truth.UNKNOWN),
        ((port(Port.SILENT, place="worker"), sees("worker", "cp1")), Truth.TRUE),
        ((port(Port.SILENT, place="worker"), GATEWAY), Truth.TRUE),
        ((port(Port.SILENT), port(Port.OPEN, place="worker")), Truth.FALSE),
    ],
    ids=["one place", "cut off as well", "sees a server", "has a gateway", "only there"],
)
def test_a_second_place_decides(facts: tuple[Fact, ...], truth: Truth) -> None:
    evidence = Evidence((*unreached("client", "cp1", "cp2"), *facts))
    assert silent_elsewhere_too.ask(evidence).truth is truth
