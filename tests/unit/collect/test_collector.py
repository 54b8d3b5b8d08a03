"""Collectors run side by side; one that hangs, fails or lacks a right stops nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from ipaddress import ip_address

from vipkeeper.collect.collector import Collector, Phase, run
from vipkeeper.collect.live import COLLECTORS
from vipkeeper.collect.target import Target
from vipkeeper.diagnose.facts import Fact
from vipkeeper.diagnose.hypothesis import Privilege
from vipkeeper.diagnose.registry import all_hypotheses
from vipkeeper.diagnose.vocabulary import Key

VIP = ip_address("192.0.2.100")


def target(own: str = "cp1", root: bool = False) -> Target:
    return Target(VIP, own=own, place="here", root=root)


def found(target: Target) -> Iterator[Fact]:
    yield target.of_own(Key.LINK_UP, True, "looked")


def test_a_collector_that_hangs_is_left_behind() -> None:
    never = threading.Event()

    def hang(target: Target) -> Iterator[Fact]:
        never.wait(60)
        yield from found(target)

    stuck = Collector("stuck", frozenset({Key.DEFAULT_ROUTE}), hang, limit=0.05)
    quick = Collector("quick", frozenset({Key.LINK_UP}), found, limit=5.0)
    facts = {fact.key: fact for fact in run([stuck, quick], target())}
    never.set()
    assert facts[Key.LINK_UP].value is True
    assert facts[Key.DEFAULT_ROUTE].unknown == "no answer within 0.05 s"


def test_a_collector_that_fails_says_what_the_kernel_said() -> None:
    def fail(_: Target) -> Iterator[Fact]:
        raise PermissionError(13, "Permission denied")

    broken = Collector("broken", frozenset({Key.VIP_STALE}), fail, limit=5.0)
    [fact] = run([broken], target())
    assert (fact.key, fact.unknown) == (Key.VIP_STALE, "Permission denied")


def test_without_root_it_is_said_and_nothing_is_tried() -> None:
    def forbidden(_: Target) -> Iterator[Fact]:
        raise AssertionError("must not run")

    wants = Collector(
        "ARP", frozenset({Key.VIP_MACS}), forbidden, limit=5.0, privilege=Privilege.ROOT
    )
    [fact] = run([wants], target(root=False))
    assert fact.unknown == "needs root"


def test_a_workstation_is_not_asked_what_only_a_server_can_know() -> None:
    only = Collector("link", frozenset({Key.LINK_UP}), found, limit=5.0, on_server=True)
    assert run([only], target(own="")) == ()


def test_whatever_would_mend_the_fault_comes_last() -> None:
    order: list[str] = []

    def noting(name: str) -> Collector:
        def look(_: Target) -> Iterator[Fact]:
            order.append(name)
            yield from ()

        phase = Phase[name.upper()]
        return Collector(name, frozenset({Key.VIP_MACS}), look, limit=5.0, phase=phase)

    run([noting("arp"), noting("ask"), noting("passive")], target())
    assert order == ["passive", "ask", "arp"]


def test_what_a_cause_asks_some_collector_can_tell_of_a_live_host() -> None:
    """A cause that needs what nobody collects is confirmed in recorded cases only."""
    told = {key for collector in COLLECTORS for key in collector.makes_known}
    named = {Key.VIP, Key.SERVERS, Key.LINT, Key.JOINS}
    """By the question and by the files."""
    derived = {Key.VIP_STALE}
    asked = {
        (key, registered.hypothesis.code)
        for registered in all_hypotheses()
        for predicate in (*registered.hypothesis.requires, *registered.hypothesis.forbids)
        for key in predicate.reads
    }
    assert sorted(code for key, code in asked if key not in told | named | derived) == []


def test_no_key_is_without_a_reader_and_a_teller() -> None:
    told = {key for collector in COLLECTORS for key in collector.makes_known}
    told |= {Key.VIP, Key.SERVERS, Key.LINT, Key.JOINS, Key.VIP_STALE}
    assert {key.word for key in Key if key not in told} == set()
