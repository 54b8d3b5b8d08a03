"""Whether a server's host is there: by ARP, and only where ARP can be asked."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface

import pytest

from vipkeeper.collect.live import hosts
from vipkeeper.collect.target import ServerAddress, Target
from vipkeeper.diagnose.vocabulary import Key
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
