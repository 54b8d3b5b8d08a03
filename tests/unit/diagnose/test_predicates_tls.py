"""Certificates on the VIP: whose they are, and by whose clock they are judged."""

from __future__ import annotations

import pytest

from vipkeeper.diagnose.facts import Evidence, Fact
from vipkeeper.diagnose.judgement import Truth
from vipkeeper.diagnose.predicates.tls import (
    clock_days_off,
    clocks_apart,
    expired,
    name_missing,
    other_authority,
    some_server_has_our_authority,
)
from vipkeeper.diagnose.vocabulary import Hello, Key

SERVERS = Fact(Key.SERVERS, ("cp1", "cp2"))
DAY_MS = 86_400_000


def vip(met: Hello, at: int = 0) -> Fact:
    return Fact(Key.VIP_HELLO, met, vantage="client", aspect="6443", at=at)


def own(server: str, met: Hello) -> Fact:
    return Fact(Key.SERVER_HELLO, met, server, "client", aspect="6443")


def clock(server: str, ahead_ms: int) -> Fact:
    return Fact(Key.CLOCK_OFFSET, ahead_ms, server)


@pytest.mark.parametrize(
    ("met", "missing", "foreign"),
    [
        (Hello.NAME_MISSING, Truth.TRUE, Truth.FALSE),
        (Hello.VALID, Truth.FALSE, Truth.FALSE),
        (Hello.UNVERIFIED, Truth.FALSE, Truth.UNKNOWN),
        (Hello.OTHER_AUTHORITY, Truth.UNKNOWN, Truth.TRUE),
        (Hello.NO_ANSWER, Truth.UNKNOWN, Truth.UNKNOWN),
    ],
)
def test_what_a_handshake_says_of_name_and_authority(
    met: Hello, missing: Truth, foreign: Truth
) -> None:
    evidence = Evidence((vip(met),))
    assert name_missing.ask(evidence).truth is missing
    assert other_authority.ask(evidence).truth is foreign


def test_the_last_look_of_a_place_counts() -> None:
    evidence = Evidence((vip(Hello.NAME_MISSING, at=1), vip(Hello.VALID, at=2)))
    assert name_missing.ask(evidence).truth is Truth.FALSE


def test_a_server_that_expired_is_seen_beside_a_vip_that_is_well() -> None:
    evidence = Evidence((SERVERS, vip(Hello.VALID), own("cp2", Hello.EXPIRED)))
    assert expired.ask(evidence).truth is Truth.TRUE


@pytest.mark.parametrize(
    ("facts", "truth"),
    [
        ((), Truth.UNKNOWN),
        ((own("cp1", Hello.UNVERIFIED),), Truth.UNKNOWN),
        ((own("cp1", Hello.VALID), own("cp2", Hello.OTHER_AUTHORITY)), Truth.TRUE),
        ((own("cp1", Hello.OTHER_AUTHORITY), own("cp2", Hello.OTHER_AUTHORITY)), Truth.FALSE),
    ],
    ids=["nobody asked", "no CA at hand", "one server is ours", "the client's CA is old"],
)
def test_the_ca_at_hand_must_be_a_servers(facts: tuple[Fact, ...], truth: Truth) -> None:
    assert some_server_has_our_authority.ask(Evidence((SERVERS, *facts))).truth is truth


@pytest.mark.parametrize(
    ("clocks", "truth"),
    [
        ((clock("cp1", 59_000), clock("cp2", 0)), Truth.FALSE),
        ((clock("cp1", 61_000), clock("cp2", 0)), Truth.TRUE),
        ((clock("cp1", -31_000), clock("cp2", 31_000)), Truth.TRUE),
        ((clock("cp1", -61_000), clock("cp2", -61_000)), Truth.TRUE),
        ((clock("cp1", 0),), Truth.UNKNOWN),
    ],
    ids=["agree", "one is ahead", "from each other", "from the asker", "one not seen"],
)
def test_clocks_are_compared_with_each_other_and_with_the_asker(
    clocks: tuple[Fact, ...], truth: Truth
) -> None:
    assert clocks_apart.ask(Evidence((SERVERS, *clocks))).truth is truth


def seen(server: str, place: str, ahead_ms: int) -> Fact:
    return Fact(Key.CLOCK_OFFSET, ahead_ms, server, place)


def test_a_place_whose_own_clock_is_wrong_accuses_all_others_and_is_outvoted() -> None:
    found = clock_days_off.ask(
        Evidence(
            (
                SERVERS,
                *(seen("cp1", place, 2 * DAY_MS) for place in ("cp2", "cp3", "client")),
                *(seen("cp2", place, 0) for place in ("cp3", "client")),
                *(seen(server, "cp1", -2 * DAY_MS) for server in ("cp2", "cp3")),
                seen("cp3", "client", 0),
                seen("cp3", "cp2", 0),
            )
        )
    )
    assert found.truth is Truth.TRUE
    assert {fact.about for fact in found.facts} == {"cp1"}


def test_only_days_make_a_certificate_look_expired() -> None:
    assert clock_days_off.ask(Evidence((SERVERS, clock("cp1", 3_600_000)))).truth is Truth.FALSE
    assert clock_days_off.ask(Evidence((SERVERS, clock("cp1", -2 * DAY_MS)))).truth is Truth.TRUE
