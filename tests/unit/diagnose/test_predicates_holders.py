"""Who has the VIP and who means to: partition, leftover and a network that lost an address told apart."""

from __future__ import annotations

import pytest

from vipkeeper.diagnose.facts import Evidence, Fact
from vipkeeper.diagnose.judgement import Truth
from vipkeeper.diagnose.predicates.holders import (
    claimed_and_not_there,
    holder_listens_elsewhere,
    holders_deaf,
    holders_hear_each_other,
    it_was_there_before,
    no_manager_there,
    one_has_it,
    one_only_has_it,
    several_claim_it,
    several_have_it,
)
from vipkeeper.diagnose.vocabulary import Key, Port, Process

SERVERS = Fact(Key.SERVERS, ("cp1", "cp2", "cp3"))


def has(server: str, there: bool = True, at: int = 0) -> Fact:
    return Fact(Key.VIP_PRESENT, there, server, at=at)


def means(server: str, holds: bool) -> Fact:
    return Fact(Key.MANAGER_HOLDS, holds, server)


def sees(place: str, server: str, up: bool) -> Fact:
    return Fact(Key.SERVER_UP, up, server, place)


def taken_off(line: str) -> Fact:
    return Fact(Key.LOG, True, "cp1", aspect="vip-taken-off", raw=line)


TWO = (SERVERS, has("cp1"), has("cp2", False), has("cp3"))


def test_one_holder_seen_says_nothing_of_servers_that_were_not_asked() -> None:
    evidence = Evidence((SERVERS, has("cp1"), has("cp2", False)))
    assert several_have_it.ask(evidence).truth is Truth.UNKNOWN
    assert one_has_it.ask(evidence).truth is Truth.UNKNOWN


def test_two_holders_seen_are_several_whoever_else_was_asked() -> None:
    evidence = Evidence((SERVERS, has("cp1"), has("cp3")))
    assert several_have_it.ask(evidence).truth is Truth.TRUE
    assert one_has_it.ask(evidence).truth is Truth.FALSE


@pytest.mark.parametrize(
    ("word", "claim", "leftover"),
    [
        ((means("cp1", True), means("cp3", True)), Truth.TRUE, Truth.FALSE),
        ((means("cp1", True), means("cp3", False)), Truth.FALSE, Truth.TRUE),
        ((means("cp1", True),), Truth.UNKNOWN, Truth.UNKNOWN),
        (
            (means("cp1", True), Fact(Key.MANAGER_STATE, Process.STOPPED, "cp3")),
            Truth.FALSE,
            Truth.TRUE,
        ),
        (
            (Fact(Key.LEASE_HOLDER, "cp1"), Fact(Key.LEASE_FRESH, True)),
            Truth.FALSE,
            Truth.TRUE,
        ),
        (
            (Fact(Key.LEASE_HOLDER, "cp1"), Fact(Key.LEASE_FRESH, False)),
            Truth.UNKNOWN,
            Truth.UNKNOWN,
        ),
    ],
    ids=["both mean it", "one lost it", "one unasked", "one is dead", "by Lease", "Lease lapsed"],
)
def test_a_leftover_is_told_from_a_second_holder(
    word: tuple[Fact, ...], claim: Truth, leftover: Truth
) -> None:
    evidence = Evidence((*TWO, *word))
    assert several_claim_it.ask(evidence).truth is claim
    assert one_only_has_it.ask(evidence).truth is leftover


def test_a_dead_manager_claims_nothing_whatever_it_said_last() -> None:
    dead = Fact(Key.MANAGER_STATE, Process.FAILED, "cp3")
    evidence = Evidence((*TWO, means("cp1", True), means("cp3", True), dead))
    assert several_claim_it.ask(evidence).truth is Truth.FALSE


@pytest.mark.parametrize(
    ("looks", "deaf"),
    [
        ((), Truth.UNKNOWN),
        ((sees("cp1", "cp2", False),), Truth.UNKNOWN),
        ((sees("client", "cp3", False),), Truth.UNKNOWN),
        ((sees("cp1", "cp3", True), sees("cp3", "cp1", True)), Truth.FALSE),
        ((sees("cp1", "cp3", True), sees("cp3", "cp1", False)), Truth.TRUE),
        (
            (
                sees("cp1", "cp3", False),
                Fact(Key.SERVER_PORT, Port.OPEN, "cp3", "cp1", aspect="6443"),
            ),
            Truth.FALSE,
        ),
    ],
    ids=["no look", "not a holder", "not from a holder", "both ways", "one way", "by port"],
)
def test_holders_are_deaf_when_one_does_not_hear_the_other(
    looks: tuple[Fact, ...], deaf: Truth
) -> None:
    evidence = Evidence((*TWO, *looks))
    assert holders_deaf.ask(evidence).truth is deaf
    assert holders_hear_each_other.ask(evidence).truth is ~deaf


def test_no_manager_needs_every_server() -> None:
    absent = [Fact(Key.MANAGER_STATE, Process.ABSENT, server) for server in ("cp1", "cp2", "cp3")]
    assert no_manager_there.ask(Evidence((SERVERS, *absent[:2]))).truth is Truth.UNKNOWN
    assert no_manager_there.ask(Evidence((SERVERS, *absent))).truth is Truth.TRUE


def test_a_manager_that_holds_and_a_server_without_it() -> None:
    gone = Evidence((SERVERS, has("cp1", False), means("cp1", True)))
    assert claimed_and_not_there.ask(gone).truth is Truth.TRUE
    unseen = Evidence((SERVERS, means("cp1", True)))
    assert claimed_and_not_there.ask(unseen).truth is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("looks", "truth"),
    [
        ((has("cp1", True, 1000), has("cp1", False, 2000)), Truth.TRUE),
        ((has("cp1", False, 1000), has("cp1", True, 2000)), Truth.UNKNOWN),
        ((has("cp1", False, 1000),), Truth.UNKNOWN),
        ((has("cp1"), Fact(Key.VIP_PRESENT, False, "cp1", source="z")), Truth.UNKNOWN),
        (
            (has("cp1", False), taken_off("reports IP 192.0.2.10 removed")),
            Truth.TRUE,
        ),
        (
            (has("cp1", False), taken_off("reports IP 192.0.2.100 removed")),
            Truth.UNKNOWN,
        ),
    ],
    ids=[
        "earlier look",
        "came later",
        "never seen",
        "at one time",
        "in the log",
        "another address",
    ],
)
def test_it_was_there_before(looks: tuple[Fact, ...], truth: Truth) -> None:
    assert (
        it_was_there_before.ask(Evidence((SERVERS, Fact(Key.VIP, "192.0.2.10"), *looks))).truth
        is truth
    )


@pytest.mark.parametrize(
    ("own", "on_vip", "truth"),
    [
        (Port.OPEN, False, Truth.TRUE),
        (Port.OPEN, True, Truth.FALSE),
        (Port.REFUSED, False, Truth.FALSE),
        (Port.REFUSED, None, Truth.FALSE),
        (None, False, Truth.UNKNOWN),
        (Port.OPEN, None, Truth.UNKNOWN),
    ],
)
def test_9345_listens_elsewhere_only_where_it_listens(
    own: Port | None, on_vip: bool | None, truth: Truth
) -> None:
    facts = [SERVERS, has("cp1"), has("cp2", False), has("cp3", False)]
    if own is not None:
        facts.append(Fact(Key.REGISTRATION_PORT, own, "cp1"))
    if on_vip is not None:
        facts.append(Fact(Key.REGISTRATION_ON_VIP, on_vip, "cp1"))
    assert holder_listens_elsewhere.ask(Evidence(facts)).truth is truth


def test_looks_minutes_apart_make_no_two_holders() -> None:
    near, far = has("cp3", at=60_000), has("cp3", at=300_000)
    assert several_have_it.ask(Evidence((SERVERS, has("cp1"), near))).truth is Truth.TRUE
    assert several_have_it.ask(Evidence((SERVERS, has("cp1"), far))).truth is Truth.UNKNOWN
    again = has("cp1", at=280_000)
    assert several_have_it.ask(Evidence((SERVERS, has("cp1"), again, far))).truth is Truth.TRUE
