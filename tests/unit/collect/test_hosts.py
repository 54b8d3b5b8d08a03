"""Whether a server's host is there: by ARP, and only where ARP can be asked."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface

import pytest

from vipkeeper.collect.live import hosts, network
from vipkeeper.collect.target import ServerAddress, Target
from vipkeeper.diagnose.vocabulary import Key, Port, Ready
from vipkeeper.host.inspect import Address


def test_a_host_that_answers_no_arp_is_down_and_one_behind_a_router_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = Address("eth0", ip_interface("192.0.2.11/24"), permanent=True)
    servers = tuple(
        ServerAddress(name, ip_address(address))
        for name, address in (
            ("cp1", "192.0.2.11"),
            ("cp2", "192.0.2.12"),
            ("cp3", "192.0.2.13"),
            ("far", "198.51.100.14"),
        )
    )
    heard = {"192.0.2.12": {"02:00:00:00:00:02"}}
    monkeypatch.setattr(hosts, "read_network", lambda: ([], [own]))
    monkeypatch.setattr(hosts, "answers", lambda _, address, on: heard.get(str(address), set()))
    target = Target(ip_address("192.0.2.100"), servers, own="cp1", place="cp1")
    found = {fact.about: fact.value for fact in hosts.ask_servers(target)}
    assert found == {"cp2": True, "cp3": False}
    assert {fact.key for fact in hosts.ask_servers(target)} == {Key.SERVER_UP}


@pytest.mark.parametrize(
    ("met", "entry", "up"),
    [
        (Port.SILENT, False, False),
        (Port.UNREACHABLE, False, False),
        (Port.SILENT, True, None),
        (Port.REFUSED, True, True),
        (Port.OPEN, False, True),
    ],
)
def test_ports_that_are_silent_say_nothing_of_a_host_that_may_be_there(
    monkeypatch: pytest.MonkeyPatch, met: Port, entry: bool, up: bool | None
) -> None:
    servers = (ServerAddress("cp2", ip_address("192.0.2.12")),)
    monkeypatch.setattr(network, "connect", lambda *_: (met, ""))
    monkeypatch.setattr(network, "hello", lambda *_: (None, ""))
    monkeypatch.setattr(network, "readyz_and_clock", lambda *_: (Ready.NO_ANSWER, "", None))
    monkeypatch.setattr(network, "resolved", lambda *_: entry)
    facts = network.look_at_servers(Target(ip_address("192.0.2.100"), servers, place="w1"))
    [fact] = [fact for fact in facts if fact.key is Key.SERVER_UP]
    assert fact.value is up
