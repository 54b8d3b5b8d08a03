"""Why a server does not come up: what files say, what logs say, and what joining still reads."""

from __future__ import annotations

import pytest

from vipkeeper.diagnose.facts import Evidence, Fact
from vipkeeper.diagnose.judgement import Truth
from vipkeeper.diagnose.predicates.files import in_files, in_files_or_logs
from vipkeeper.diagnose.predicates.joining import (
    every_server_joins,
    joined_before,
    no_server_was_in_a_cluster,
)
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.vocabulary import Key, Process

SERVERS = Fact(Key.SERVERS, ("cp1", "cp2"))
FILES = in_files("files", "the files are so", "VK101", "VK102")
EITHER = in_files_or_logs("either", "it is so", ("VK101",), ("invalid-url-scheme",))
SAID = logged("said", "it was said", "invalid-url-scheme")
JOINED = joined_before("invalid-url-scheme")


def lint(rule: str, found: bool) -> Fact:
    return Fact(Key.LINT, found, aspect=rule)


def message(server: str = "cp1", code: str = "invalid-url-scheme") -> Fact:
    return Fact(Key.LOG, True, server, aspect=code)


def read(*servers: str) -> tuple[Fact, ...]:
    return tuple(Fact(Key.LOGS_READ, True, server) for server in servers)


def ending(server: str) -> Fact:
    return Fact(Key.SUPERVISOR, Process.RESTARTING, server)


def data(server: str, there: bool) -> Fact:
    return Fact(Key.ETCD_DATA, there, server)


VIP = Fact(Key.VIP, "192.0.2.100")


def joins(server: str, where: str) -> Fact:
    return Fact(Key.JOINS, where, server, server)


@pytest.mark.parametrize(
    ("facts", "truth"),
    [
        ((joins("cp1", "192.0.2.100"), joins("cp2", "192.0.2.100")), Truth.TRUE),
        ((joins("cp1", ""), joins("cp2", "192.0.2.100")), Truth.FALSE),
        ((joins("cp1", ""),), Truth.FALSE),
        ((joins("cp1", "192.0.2.100"),), Truth.UNKNOWN),
        ((joins("cp1", "192.0.2.100"), joins("cp2", "vip.example")), Truth.UNKNOWN),
        ((lint("VK603", True), joins("cp1", "192.0.2.100")), Truth.TRUE),
        ((), Truth.UNKNOWN),
    ],
    ids=["all", "not the first", "the first", "one seen", "by a name", "by lint", "none seen"],
)
def test_that_every_server_joins_the_vip_takes_the_files_of_all(
    facts: tuple[Fact, ...], truth: Truth
) -> None:
    assert every_server_joins.ask(Evidence((SERVERS, VIP, *facts))).truth is truth


@pytest.mark.parametrize(
    ("facts", "truth"),
    [
        ((), Truth.UNKNOWN),
        ((lint("VK101", False),), Truth.UNKNOWN),
        ((lint("VK101", False), lint("VK102", False)), Truth.FALSE),
        ((lint("VK102", True),), Truth.TRUE),
    ],
)
def test_files_are_in_order_only_when_every_rule_looked(
    facts: tuple[Fact, ...], truth: Truth
) -> None:
    assert FILES.ask(Evidence(facts)).truth is truth


@pytest.mark.parametrize(
    ("facts", "truth"),
    [
        ((SERVERS, *read("cp1")), Truth.UNKNOWN),
        (read("cp1", "cp2"), Truth.UNKNOWN),
        ((SERVERS, *read("cp1", "cp2")), Truth.FALSE),
        ((SERVERS, message()), Truth.TRUE),
    ],
    ids=["one of two logs", "servers not known", "all logs", "message found"],
)
def test_a_message_is_missing_only_when_all_logs_were_read(
    facts: tuple[Fact, ...], truth: Truth
) -> None:
    assert SAID.ask(Evidence(facts)).truth is truth


def test_a_message_stands_although_the_file_was_mended_since() -> None:
    evidence = Evidence((SERVERS, lint("VK101", False), message(), *read("cp1", "cp2")))
    assert EITHER.ask(evidence).truth is Truth.TRUE


def test_logs_that_say_nothing_do_not_clear_files_that_nobody_judged() -> None:
    assert EITHER.ask(Evidence((SERVERS, *read("cp1", "cp2")))).truth is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("facts", "truth"),
    [
        ((ending("cp1"),), Truth.UNKNOWN),
        ((ending("cp1"), data("cp1", True)), Truth.TRUE),
        ((ending("cp1"), data("cp1", False)), Truth.FALSE),
        ((ending("cp1"), data("cp1", False), data("cp2", True)), Truth.FALSE),
        ((ending("cp1"), ending("cp2"), data("cp1", True)), Truth.UNKNOWN),
        ((ending("cp1"), data("cp1", True), message()), Truth.FALSE),
    ],
    ids=["no look", "old", "fresh", "others are old", "one of two unseen", "it says so itself"],
)
def test_a_server_with_data_does_not_join(facts: tuple[Fact, ...], truth: Truth) -> None:
    assert JOINED.ask(Evidence((SERVERS, *facts))).truth is truth


def test_nobody_was_in_a_cluster_needs_every_server() -> None:
    one = Evidence((SERVERS, data("cp1", False)))
    assert no_server_was_in_a_cluster.ask(one).truth is Truth.UNKNOWN
    both = Evidence((SERVERS, data("cp1", False), data("cp2", False)))
    assert no_server_was_in_a_cluster.ask(both).truth is Truth.TRUE
