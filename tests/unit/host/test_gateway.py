"""Which gateway is asked, and what is read of the kernel's answers about routes."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from vipkeeper.core.types import SECOND
from vipkeeper.host.gateway import GatewayRule
from vipkeeper.host.routes import NextHop, hops
from vipkeeper.host.rtmessages import messages
from vipkeeper.host.snapshot import Link, LocalAddress, Snapshot
from vipkeeper.wire.types import IPAddress

MAC = bytes.fromhex("02005e000001")
ETH0, ETH1 = Link("eth0", 2, True, MAC), Link("eth1", 3, True, MAC)
VIP, VIP6 = ip_address("10.9.0.100"), ip_address("fd09::100")
OWN, SERVER, ROUTER = (ip_address(f"10.9.0.{n}") for n in (11, 12, 1))
ROUTER6, LINK_LOCAL = ip_address("fd09::1"), ip_address("fe80::1")
HOST = Snapshot(
    (ETH0, ETH1),
    (
        LocalAddress(VIP, 32, "eth0", 2, False),
        LocalAddress(OWN, 24, "eth0", 2, True),
        LocalAddress(ip_address("fd09::11"), 64, "eth0", 2, True),
        LocalAddress(ip_address("10.8.0.11"), 24, "eth1", 3, True),
        LocalAddress(ip_address("10.7.0.11"), 24, "eth0", 2, True),
    ),
)


def found(
    default: IPAddress | None = None,
    others: Iterable[IPAddress] = (),
    fixed: IPAddress | None = None,
    vips: tuple[IPAddress, ...] = (VIP,),
) -> IPAddress | None:
    def default_hop(version: int, index: int) -> IPAddress | None:
        return default if default is not None and (version, index) == (default.version, 2) else None

    rule = GatewayRule(
        fixed,
        (*vips, OWN, SERVER),
        default_hop=default_hop,
        next_hops=lambda version, _: [hop for hop in others if hop.version == version],
    )
    return rule.find(HOST, dict.fromkeys(vips, ETH0), 0)


def test_the_default_route_comes_first() -> None:
    assert found(ROUTER, [ip_address("10.9.0.2")]) == ROUTER
    assert found(None, [ip_address("10.9.0.2")]) == ip_address("10.9.0.2")
    assert found() is None


@pytest.mark.parametrize(
    "hop", [VIP, SERVER, OWN, ip_address("10.8.0.1"), ip_address("10.7.0.1")], ids=str
)
def test_what_says_nothing_of_this_link_is_not_taken(hop: IPAddress) -> None:
    """A server's silence is what is to be judged; and another subnet's router may be reached otherwise."""
    assert found(hop) is None
    assert found(hop, [ROUTER]) == ROUTER
    assert found(fixed=hop) is None


def test_the_configured_one_is_asked_and_no_other() -> None:
    assert found(ROUTER, fixed=ip_address("10.9.0.9")) == ip_address("10.9.0.9")


def test_a_router_of_ipv6_has_a_link_local_address() -> None:
    assert found(LINK_LOCAL, vips=(VIP6,)) == LINK_LOCAL
    assert found(ROUTER6, vips=(VIP6,)) == ROUTER6
    assert found(ROUTER6, vips=(VIP, VIP6)) == ROUTER6


def test_without_a_link_nobody_is_asked() -> None:
    rule = GatewayRule(ROUTER, ())
    assert rule.find(HOST, {VIP: None}, 0) is None
    assert rule.find(HOST, {VIP: Link("eth0", 2, False, MAC)}, 0) is None


def test_all_routes_are_read_once_a_minute_at_most() -> None:
    reads: list[int] = []

    def next_hops(version: int, index: int) -> list[IPAddress]:
        reads.append(index)
        return [ROUTER]

    rule = GatewayRule(None, (), default_hop=lambda *_: None, next_hops=next_hops)
    for now in (0, SECOND, 59 * SECOND, 60 * SECOND):
        assert rule.find(HOST, {VIP: ETH0}, now) == ROUTER
    assert len(reads) == 2


def test_who_is_on_the_link() -> None:
    assert HOST.on_link(SERVER, OWN, (VIP,)) == (ETH0, OWN)
    assert HOST.on_link(ip_address("10.8.0.12"), OWN, (VIP,)) == (
        ETH1,
        ip_address("10.8.0.11"),
    )
    assert HOST.on_link(ip_address("192.0.2.1"), OWN, (VIP,)) is None
    assert HOST.on_link(SERVER, OWN, (VIP, OWN)) is None
    assert HOST.on_link(SERVER, OWN, (VIP,), "eth1") is None


def route(**fields: object) -> bytes:
    """The body of a route message as another library writes it."""
    message = rtmsg()
    message["family"], message["type"] = 2, 1
    for name, value in fields.items():
        if name in ("dst_len", "type", "family"):
            message[name] = value
    message["attrs"] = [
        (f"RTA_{name.upper()}", value)
        for name, value in fields.items()
        if name not in ("dst_len", "type", "family")
    ]
    message.encode()
    return bytes(message.data[16:])


def test_next_hops_as_another_library_writes_them() -> None:
    default = route(gateway="10.9.0.1", oif=2)
    assert list(hops(default)) == [NextHop(ROUTER, 2, True)]
    other = route(dst_len=16, dst="10.1.0.0", gateway="10.9.0.12", oif=2)
    assert list(hops(other)) == [NextHop(SERVER, 2, False)]
    assert list(hops(route(dst_len=24, dst="10.9.0.0", oif=2))) == []
    assert list(hops(route(type=6))) == []  # a black hole


@given(st.binary(max_size=120))
def test_any_bytes_are_judged(data: bytes) -> None:
    list(hops(data))
    for message in messages(data):
        list(hops(message.body))


@given(st.integers(0, 60), st.integers(0, 255))
def test_a_route_with_any_byte_changed_is_judged(at: int, value: int) -> None:
    data = bytearray(route(dst_len=16, dst="10.1.0.0", gateway="10.9.0.12", oif=2))
    data[at % len(data)] = value
    list(hops(bytes(data)))
    list(hops(bytes(data[: at % len(data)])))
