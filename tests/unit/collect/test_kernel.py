"""What the settings, rules and addresses of a host mean for the VIP."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from pathlib import Path

import pytest

from vipkeeper.collect.live import arp, control_plane, kernel
from vipkeeper.collect.live.arp import _owners
from vipkeeper.collect.live.control_plane import look_at_registration
from vipkeeper.collect.live.kernel import (
    captures,
    filters,
    ignores,
    read_addresses,
    read_filters,
    read_settings,
)
from vipkeeper.collect.target import ServerAddress, Target
from vipkeeper.diagnose.vocabulary import Key, Port
from vipkeeper.host.inspect import Address, Link

VIP = "192.0.2.100"
TARGET = Target(ip_address(VIP), own="cp1", place="cp1")


def on(interface: str, address: str) -> Address:
    return Address(interface, ip_interface(address), permanent=True)


@pytest.mark.parametrize(
    ("value", "vip", "silent"),
    [
        (0, on("lo", f"{VIP}/32"), False),
        (1, on("lo", f"{VIP}/32"), True),
        (1, on("eth0", f"{VIP}/32"), False),
        (2, on("eth0", f"{VIP}/32"), False),
        (2, on("eth1", f"{VIP}/32"), True),
        (3, on("lo", f"{VIP}/32"), False),
        (8, on("eth0", f"{VIP}/32"), True),
    ],
)
def test_arp_ignore_by_where_the_vip_is(value: int, vip: Address, silent: bool) -> None:
    assert ignores(value, [on("eth0", "192.0.2.11/24"), vip], TARGET) is silent


@pytest.mark.parametrize(
    ("line", "dropped"),
    [
        ("ip daddr 192.0.2.100 tcp dport != { 6443, 9345 } drop", []),
        ("ip daddr 192.0.2.100 tcp dport != 22 drop", ["6443", "9345"]),
        ("-A INPUT -d 192.0.2.100/32 -p tcp -m multiport ! --dports 6443,9345 -j DROP", []),
        ("-A INPUT -d 192.0.2.100/32 -p tcp -m multiport --dports 6000:7000 -j DROP", ["6443"]),
        ("ip daddr 192.0.2.100 tcp dport 9000-9400 drop", ["9345"]),
    ],
)
def test_a_rule_may_name_the_ports_that_it_spares(line: str, dropped: list[str]) -> None:
    assert [port for port in ("6443", "9345") if filters(line, VIP, port)] == dropped


@pytest.mark.parametrize(
    ("line", "captured"),
    [
        ("-A KUBE-SERVICES -d 192.0.2.100/32 -p tcp -m tcp --dport 443 -j KUBE-EXT-ABC", False),
        ("elements = { 192.0.2.100 . tcp . 443 : goto external-ABC-ns/svc/tcp/p }", False),
        ("ip daddr 192.0.2.100 dnat to 10.42.0.9", True),
    ],
)
def test_a_service_that_shares_the_vip_takes_its_own_ports_only(line: str, captured: bool) -> None:
    assert captures(line, VIP) is captured


def test_the_link_of_the_vip_is_the_one_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    links = [Link("eth0", 2, up=True, carrier=True), Link("eth1", 3, up=True, carrier=False)]
    spare = on("eth1", "192.0.2.12/24")
    for vip, up in ((on("eth0", f"{VIP}/32"), True), (on("eth1", f"{VIP}/32"), False)):
        monkeypatch.setattr(
            kernel,
            "read_network",
            lambda vip=vip: (links, [on("eth0", "192.0.2.11/24"), spare, vip]),
        )
        found = {fact.key: fact.value for fact in read_addresses(TARGET)}
        assert found[Key.LINK_UP] is up


def test_an_address_of_kube_proxy_is_captured_and_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    node, ipvs = on("eth0", "192.0.2.11/24"), on("kube-ipvs0", f"{VIP}/32")
    monkeypatch.setattr(kernel, "read_network", lambda: ([], [node, ipvs]))
    monkeypatch.setattr(kernel, "program_output", lambda *_: "")
    facts = (*read_addresses(TARGET), *read_filters(TARGET))
    found = {fact.key: fact.value for fact in facts}
    assert (found[Key.VIP_PRESENT], found[Key.VIP_CAPTURED]) == (False, True)


def test_an_address_is_a_strangers_only_among_servers_of_the_same_link(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Servers with a card for the cluster and one for clients: the table has the first, the second answers."""
    monkeypatch.setattr(arp, "_mac", lambda *_: "02:00:00:00:00:01")
    asked = on("eth1", "192.0.2.11/24")
    for network, whose in (("10.0.0", None), ("192.0.2", "none")):
        servers = tuple(
            ServerAddress(name, ip_address(f"{network}.1{n}"))
            for n, name in enumerate(("cp1", "cp2"), 1)
        )
        monkeypatch.setattr(
            arp, "neighbours", lambda _, n=network: {f"{n}.12": "02:00:00:00:00:02"}
        )
        target = Target(ip_address(VIP), servers, complete=True, own="cp1", place="cp1")
        [fact] = _owners(target, asked, ["02:00:00:00:00:99"], "ARP")
        assert fact.value == whose


@pytest.mark.parametrize(
    ("rows", "device", "there"),
    [
        (["eth0 00000000 010200C0 0003", "eth0 000200C0 00000000 0001"], "lo", True),
        (["eth0 000200C0 00000000 0001"], "lo", False),
        ([], "lo", False),
        ([], "eth0", True),
    ],
)
def test_a_default_route_is_the_one_to_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str], device: str, there: bool
) -> None:
    path = tmp_path / "proc/net/route"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(["Iface Destination Gateway Flags", *rows]))
    zero = "0" * 32
    (path.parent / "ipv6_route").write_text(
        f"fe80{'0' * 28} 40 {zero} 00 {zero} 00000100 1 0 00000001 eth0\n"
        f"{zero} 00 {zero} 00 {zero} ffffffff 1 0 00200200 {device}\n"
    )
    monkeypatch.setattr(kernel, "read_network", lambda: ([], []))
    here = Target(ip_address(VIP), own="cp1", place="cp1", files=tmp_path)
    found = {fact.key: fact.value for fact in read_settings(here)}
    assert found == {Key.DEFAULT_ROUTE: there}


@pytest.mark.parametrize(
    ("listening", "met", "on_vip"),
    [
        ({"0.0.0.0"}, Port.OPEN, True),
        ({"::"}, Port.OPEN, True),
        ({VIP, "192.0.2.11"}, Port.OPEN, True),
        ({"127.0.0.1", "192.0.2.11"}, Port.OPEN, False),
        ({"0.0.0.0"}, Port.REFUSED, None),
        (set(), Port.OPEN, None),
    ],
)
def test_9345_is_on_the_vip_where_it_listens_there_or_everywhere(
    monkeypatch: pytest.MonkeyPatch, listening: set[str], met: Port, on_vip: bool | None
) -> None:
    monkeypatch.setattr(control_plane, "connect", lambda *_: (met, ""))
    monkeypatch.setattr(control_plane, "listeners", lambda *_: listening)
    found = {fact.key: fact.value for fact in look_at_registration(TARGET)}
    assert (found[Key.REGISTRATION_PORT], found.get(Key.REGISTRATION_ON_VIP)) == (met, on_vip)


@pytest.mark.parametrize(
    ("vip", "facts"),
    [
        (on("eth0", f"{VIP}/32"), {Key.VIP_PRESENT: True, Key.VIP_SUBNET: True}),
        (on("eth0", f"{VIP}/24"), {Key.VIP_PRESENT: True, Key.VIP_INTERFACE: "eth0"}),
        (on("eth0", "192.0.2.101/32"), {Key.VIP_PRESENT: False, Key.VIP_SUBNET: True}),
        (Address("eth0", ip_interface(f"{VIP}/32"), permanent=False), {Key.VIP_PERMANENT: False}),
    ],
)
def test_addresses(
    monkeypatch: pytest.MonkeyPatch, vip: Address, facts: dict[Key, bool | str]
) -> None:
    monkeypatch.setattr(kernel, "read_network", lambda: ([], [on("eth0", "192.0.2.11/24"), vip]))
    found = {fact.key: fact.value for fact in read_addresses(TARGET)}
    assert found | facts == found
    monkeypatch.setattr(kernel, "read_network", lambda: ([], [on("eth0", "10.0.0.11/24"), vip]))
    elsewhere = {fact.key: fact.value for fact in read_addresses(TARGET)}
    assert elsewhere[Key.VIP_SUBNET] is False


@pytest.mark.parametrize("failed", [True, False])
def test_an_address_of_ipv6_that_was_found_elsewhere(
    monkeypatch: pytest.MonkeyPatch, failed: bool
) -> None:
    vip = Address("eth0", ip_interface("2001:db8::100/128"), permanent=True, dad_failed=failed)
    monkeypatch.setattr(kernel, "read_network", lambda: ([], [vip]))
    target = Target(ip_address("2001:db8::100"), own="cp1", place="cp1")
    found = {fact.key: fact.value for fact in read_addresses(target)}
    assert found[Key.VIP_DAD_FAILED] is failed


@pytest.mark.parametrize(
    ("addresses", "on_link", "macs"),
    [
        ([on("eth0", "192.0.2.11/24")], True, ("02:00:00:00:00:0a",)),
        ([on("eth0", "192.0.2.11/24"), on("eth0", f"{VIP}/32")], True, None),
        ([on("eth0", "10.0.0.11/24")], False, None),
        ([on("lo", "192.0.2.11/24")], False, None),
    ],
    ids=["asked", "it has it itself", "on another network", "on the loopback"],
)
def test_arp_is_asked_where_others_would_hear_it(
    monkeypatch: pytest.MonkeyPatch,
    addresses: list[Address],
    on_link: bool,
    macs: tuple[str, ...] | None,
) -> None:
    monkeypatch.setattr(arp, "read_network", lambda: ([], addresses))
    monkeypatch.setattr(arp, "answers", lambda *_: {"02:00:00:00:00:0a"})
    monkeypatch.setattr(arp, "neighbours", lambda _: {})
    monkeypatch.setattr(arp, "_mac", lambda *_: "02:00:00:00:00:01")
    found = {fact.key: fact.value for fact in arp.ask_who_has(TARGET)}
    assert (found[Key.VIP_ON_LINK], found[Key.VIP_MACS]) == (on_link, macs)
