"""Kernel leases on a real kernel: what stays, what goes, and who is told."""

from __future__ import annotations

import errno
import functools
import gc
import json
import re
import socket
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import ip_address

import pytest

from support.namespaces import Net, eventually, lan, plug, switch_of
from vipkeeper.core.actions import AddressOperation as Operation
from vipkeeper.core.events import AddressOutcome as Outcome
from vipkeeper.core.types import SECOND, AddressState, HostView, Instant
from vipkeeper.errors import HostError
from vipkeeper.host import clock, netlink
from vipkeeper.host.gateway import GatewayRule
from vipkeeper.host.netlink import Addresses
from vipkeeper.host.routes import default_hop
from vipkeeper.host.snapshot import Snapshot
from vipkeeper.host.tables import Known, read_snapshot
from vipkeeper.wire.types import IPAddress

pytestmark = pytest.mark.lab

V4, V6 = ip_address("10.9.0.100"), ip_address("fd09::100")
OWN = ip_address("10.9.0.11")
BOTH = (V4, V6)
LEASE = 3 * SECOND
Step = Callable[[Addresses], Awaitable[None]]


@pytest.fixture
def net() -> Iterator[Net]:
    with lan("one") as (one,):
        yield one


def here(net: Net, address: IPAddress) -> bool:
    return re.search(rf"inet6? {address}/", net.ip("addr show")) is not None


def flags(net: Net, address: IPAddress) -> dict[str, object]:
    for link in json.loads(net.ip("-j addr show")):
        for info in link["addr_info"]:
            if info.get("local") == str(address):
                return dict(info)
    raise AssertionError(f"{address} is not there")


def with_addresses(
    net: Net,
    step: Step,
    *,
    vips: tuple[IPAddress, ...] = BOTH,
    interface: str | None = None,
    time: Callable[[], Instant] = clock.now,
) -> None:
    async def main() -> None:
        addresses = Addresses(vips, OWN, interface, time)
        addresses.open()
        try:
            await step(addresses)
        finally:
            addresses.close()

    net.run(main)


def view(net: Net, vips: tuple[IPAddress, ...] = BOTH, interface: str | None = None) -> HostView:
    found: list[HostView] = []

    async def look(addresses: Addresses) -> None:
        found.append(addresses.view())

    with_addresses(net, look, vips=vips, interface=interface)
    return found[0]


async def outcome(
    addresses: Addresses, operation: Operation, not_after: Instant | None = None
) -> Outcome:
    return addresses.change(operation, LEASE, not_after)[0]


def test_both_vips_lapse_by_themselves_without_a_daemon(net: Net) -> None:
    async def add(addresses: Addresses) -> None:
        done = addresses.change(Operation.ADD, SECOND, None)
        assert done[0] is Outcome.DONE
        assert done[1] <= done[2]

    with_addresses(net, add)
    for vip in BOTH:
        found = flags(net, vip)
        assert found["valid_life_time"] == 1
        assert found["preferred_life_time"] == 0
        assert found["prefixlen"] == vip.max_prefixlen
    eventually(lambda: not here(net, V4) and not here(net, V6))


def test_a_renewal_keeps_them_and_restarts_the_lifetime(net: Net) -> None:
    async def renew(addresses: Addresses) -> None:
        addresses.change(Operation.ADD, SECOND, None)
        _, started, _, _ = addresses.change(Operation.RENEW, 9 * SECOND, None)
        assert started <= clock.now()

    with_addresses(net, renew)
    assert [flags(net, vip)["valid_life_time"] for vip in BOTH] == [9, 9]


@pytest.mark.parametrize("present", [True, False])
def test_a_renewal_that_begins_too_late_leaves_nothing_and_says_lapsed(
    net: Net, present: bool
) -> None:
    async def late(addresses: Addresses) -> None:
        if present:
            await outcome(addresses, Operation.ADD)
        done = addresses.change(Operation.RENEW, LEASE, clock.now() - 1)
        assert (done[0], done[3]) == (Outcome.LAPSED, "the lease had ended before")

    with_addresses(net, late)
    assert not here(net, V4)
    assert not here(net, V6)


def test_a_renewal_that_ends_too_late_takes_the_address_it_made_away_again(net: Net) -> None:
    times = [0, 10 * SECOND]
    calls: list[Instant] = []

    def stalls_in_between() -> Instant:
        calls.append(0)
        return times[0] if len(calls) < 3 else times[1]

    async def late(addresses: Addresses) -> None:
        # The kernel has lost the address; replace creates it while the daemon was stopped.
        assert len(calls) == 1  # one look at the clock by the view of open()
        done = addresses.change(Operation.RENEW, LEASE, 5 * SECOND)
        assert done[0] is Outcome.LAPSED
        assert (done[1], done[2]) == (0, 10 * SECOND)

    with_addresses(net, late, time=stalls_in_between)
    assert not here(net, V4)
    assert not here(net, V6)


def test_add_refuses_a_permanent_vip_and_touches_nothing(net: Net) -> None:
    net.ip("addr add 10.9.0.100/32 dev eth0")

    async def refuse(addresses: Addresses) -> None:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as changes:
            changes.bind((0, 0x10 | 0x100))  # what happens to addresses of both families
            for operation in (Operation.ADD, Operation.RENEW, Operation.REORDER):
                done = addresses.change(operation, LEASE, None)
                assert done[0] is Outcome.FAILED
                assert "10.9.0.100 is a permanent address" in done[3]
            assert await outcome(addresses, Operation.REMOVE) is Outcome.DONE
            with pytest.raises(BlockingIOError):
                changes.recv(4096, socket.MSG_DONTWAIT)

    with_addresses(net, refuse, vips=(V6, V4))


@pytest.mark.parametrize("vip", BOTH)
def test_a_vip_made_permanent_after_the_last_look_is_not_given_a_lifetime(
    net: Net, vip: IPAddress
) -> None:
    async def refuse(addresses: Addresses) -> None:
        net.ip(f"addr add {vip}/{vip.max_prefixlen} dev eth0 nodad")
        assert await outcome(addresses, Operation.ADD) is Outcome.FAILED

    with_addresses(net, refuse)
    assert flags(net, vip)["valid_life_time"] == 2**32 - 1
    assert not here(net, V4 if vip == V6 else V6)


def test_add_takes_a_leased_vip_that_is_there_already(net: Net) -> None:
    net.ip("addr add 10.9.0.100/32 dev eth0 valid_lft 60 preferred_lft 0")

    async def adopt(addresses: Addresses) -> None:
        assert await outcome(addresses, Operation.ADD) is Outcome.DONE

    with_addresses(net, adopt)
    assert flags(net, V4)["valid_life_time"] == 3


def test_when_one_vip_cannot_be_added_none_is_left(net: Net) -> None:
    async def fail(addresses: Addresses) -> None:
        net.sysctl("net.ipv6.conf.eth0.disable_ipv6", 1)
        done = addresses.change(Operation.ADD, LEASE, None)
        assert done[0] is Outcome.FAILED
        assert "fd09::100 on eth0" in done[3]

    with_addresses(net, fail)
    assert not here(net, V4)


def test_removing_what_is_not_there_is_success(net: Net) -> None:
    async def remove(addresses: Addresses) -> None:
        assert await outcome(addresses, Operation.REMOVE) is Outcome.DONE
        assert await outcome(addresses, Operation.ADD) is Outcome.DONE
        net.ip("addr flush dev eth0")
        assert await outcome(addresses, Operation.REMOVE) is Outcome.DONE
        net.ip("link set eth0 mtu 1200")  # too small for IPv6: the kernel takes it off
        assert await outcome(addresses, Operation.REMOVE) is Outcome.DONE
        net.ip("link del eth0")
        assert await outcome(addresses, Operation.REMOVE) is Outcome.DONE

    with_addresses(net, remove)


def test_remove_finds_a_vip_added_since_the_last_look(net: Net) -> None:
    async def remove(addresses: Addresses) -> None:
        net.ip("addr add 10.9.0.100/32 dev eth0 valid_lft 60 preferred_lft 0")
        assert await outcome(addresses, Operation.REMOVE) is Outcome.DONE

    with_addresses(net, remove)
    assert not here(net, V4)


def test_remove_finds_a_vip_whose_subnet_is_gone_from_the_host(net: Net) -> None:
    async def remove(addresses: Addresses) -> None:
        assert await outcome(addresses, Operation.ADD) is Outcome.DONE
        net.ip("addr del 10.9.0.11/24 dev eth0")
        assert not addresses.view().own_address
        assert await outcome(addresses, Operation.REMOVE) is Outcome.DONE

    with_addresses(net, remove, vips=(V4,))
    assert not here(net, V4)


def test_reorder_puts_the_own_address_first(net: Net) -> None:
    async def reorder(addresses: Addresses) -> None:
        assert await outcome(addresses, Operation.ADD) is Outcome.DONE
        assert addresses.view().vips[0].behind_own
        net.ip("addr del 10.9.0.11/24 dev eth0")
        net.ip("addr add 10.9.0.11/24 dev eth0")
        assert not addresses.view().vips[0].behind_own
        assert await outcome(addresses, Operation.REORDER) is Outcome.DONE
        assert addresses.view().vips[0].behind_own

    with_addresses(net, reorder)
    listed = re.findall(r"inet (\S+)/", net.ip("addr show dev eth0"))
    assert listed == ["10.9.0.11", "10.9.0.100"]


def test_the_vip_is_never_a_source_address(net: Net) -> None:
    async def add(addresses: Addresses) -> None:
        assert await outcome(addresses, Operation.ADD) is Outcome.DONE

    net.ip("route add default via 10.9.0.1")
    net.ip("-6 route add default via fd09::1")
    with_addresses(net, add)
    for target, own in (
        ("10.9.0.12", "10.9.0.11"),
        ("192.0.2.1", "10.9.0.11"),
        ("fd09::12", "fd09::11"),
        ("2001:db8::1", "fd09::11"),
    ):
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        assert f"src {own} " in net.ip(f"route get {target}")
        with net.call(functools.partial(socket.socket, family, socket.SOCK_DGRAM)) as sock:
            sock.connect((target, 9))
            assert sock.getsockname()[0] == own


def test_the_interface_is_the_one_whose_subnet_holds_the_vip(net: Net) -> None:
    net.ip("link add other type veth peer name far")
    net.ip("addr add 10.8.0.1/16 dev other")
    net.ip("addr add 10.9.0.99/32 dev other")
    found = view(net)
    assert (found.interface, found.link_up, found.own_address, found.detail) == (
        "eth0",
        True,
        True,
        "",
    )
    assert [vip.state for vip in found.vips] == [AddressState.ABSENT] * 2
    assert view(net, (ip_address("10.8.3.3"),)).interface == "other"
    elsewhere = view(net, (ip_address("10.7.0.1"),))
    assert (elsewhere.interface, elsewhere.usable) == (None, False)
    assert elsewhere.detail == "no interface has a subnet that holds 10.7.0.1"
    assert view(net, interface="other").interface == "other"


def test_a_vip_with_its_subnet_does_not_make_an_interface_its_own(net: Net) -> None:
    net.ip("link add other type veth peer name far")
    net.ip("addr del 10.9.0.11/24 dev eth0")
    net.ip("addr add 10.9.0.100/24 dev other")
    assert view(net, (V4,)).interface is None


def test_the_view_tells_what_is_lost(net: Net) -> None:
    switch_of(net).ip("link set p1 down")
    no_carrier = view(net)
    assert (no_carrier.interface, no_carrier.link_up) == ("eth0", False)
    assert no_carrier.detail == "interface eth0 is down or has no carrier"
    switch_of(net).ip("link set p1 up")
    net.ip("addr del 10.9.0.11/24 dev eth0")
    net.ip("addr add 10.9.0.77/24 dev eth0")
    no_own = view(net)
    assert (no_own.interface, no_own.link_up, no_own.own_address) == ("eth0", True, False)
    assert no_own.detail == "own address 10.9.0.11 is not on this host"
    net.ip("link set eth0 down")
    assert not view(net, interface="eth0").link_up
    net.ip("link del eth0")
    gone = view(net, interface="eth0")
    assert (gone.interface, gone.detail) == (None, "interface eth0 does not exist")


def test_the_view_tells_permanent_from_leased(net: Net) -> None:
    net.ip("addr add 10.9.0.100/32 dev eth0 valid_lft 60 preferred_lft 0")
    net.ip("addr add fd09::100/128 dev eth0 nodad")
    assert [v.state for v in view(net).vips] == [AddressState.LEASED, AddressState.PERMANENT]
    net.ip("addr add 10.9.0.100/24 dev eth0")
    assert view(net).vips[0].state is AddressState.PERMANENT


def gateway(
    net: Net, *, vips: tuple[IPAddress, ...] = BOTH, fixed: IPAddress | None = None
) -> IPAddress | None:
    found: list[IPAddress | None] = []

    async def look(addresses: Addresses) -> None:
        addresses.gateway = GatewayRule(fixed, (*vips, OWN, ip_address("10.9.0.12")))
        found.append(addresses.view().gateway)

    with_addresses(net, look, vips=vips)
    return found[0]


def test_the_gateway_is_the_next_hop_of_the_default_route(net: Net) -> None:
    assert gateway(net) is None
    net.ip("route add 10.1.0.0/16 via 10.9.0.3")
    assert gateway(net) == ip_address("10.9.0.3")
    net.ip("route add default via 10.9.0.1")
    net.ip("-6 route add default via fe80::1 dev eth0")
    assert gateway(net) == ip_address("10.9.0.1")
    assert gateway(net, vips=(V6,)) == ip_address("fe80::1")
    net.ip("-6 route replace default via fd09::1 dev eth0")
    assert gateway(net, vips=(V6,)) == ip_address("fd09::1")
    assert gateway(net, fixed=ip_address("10.9.0.7")) == ip_address("10.9.0.7")
    assert gateway(net, fixed=ip_address("10.7.0.7")) is None


def test_a_server_that_is_the_next_hop_is_no_gateway(net: Net) -> None:
    net.ip("route add default via 10.9.0.12")
    net.ip("route add 10.2.0.0/16 nexthop via 10.9.0.3 nexthop via 10.9.0.4")
    assert gateway(net) == ip_address("10.9.0.3")


def test_the_gateway_of_another_interface_is_not_asked(net: Net) -> None:
    """A second network may be well while the VIP's is cut."""
    net.ip("link add other type veth peer name far")
    net.ip("link set far up")
    net.ip("link set other up")
    net.ip("addr add 10.8.0.11/24 dev other")
    net.ip("route add default via 10.8.0.1")
    assert gateway(net) is None
    net.ip("route add default via 10.9.0.1 metric 500")
    assert gateway(net) == ip_address("10.9.0.1")


def test_a_default_route_is_found_without_reading_all_routes(net: Net) -> None:
    """Also one that is not the best: it is the one of the VIP's interface."""
    net.ip("link add other type veth peer name far")
    net.ip("link set far up")
    net.ip("link set other up")
    net.ip("addr add 10.8.0.11/24 dev other")
    net.ip("route add default via 10.8.0.1")
    net.ip("route add default via 10.9.0.1 metric 500")
    for interface, hop in (("eth0", "10.9.0.1"), ("other", "10.8.0.1"), ("lo", None)):
        (link,) = json.loads(net.ip(f"-j link show dev {interface}"))
        found = net.call(lambda index=link["ifindex"]: default_hop(4, index))  # type: ignore[misc]
        assert found == (ip_address(hop) if hop else None)


def test_a_read_that_fails_is_made_again(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [errno.ENOBUFS, errno.ENOBUFS]

    def fails_at_first(known: Known) -> tuple[Snapshot, bool]:
        if failures:
            raise OSError(failures.pop(), "no room")
        return read_snapshot(known)

    async def broken(addresses: Addresses) -> None:
        monkeypatch.setattr(netlink, "read_snapshot", fails_at_first)
        assert addresses.view().usable
        assert not failures
        failures.extend([errno.ENOBUFS] * 9)
        with pytest.raises(
            HostError, match="cannot read this host's interfaces and addresses: no room"
        ):
            addresses.view()

    with_addresses(net, broken)


def test_neighbours_are_those_with_a_mac(net: Net) -> None:
    net.ip("neigh replace 10.9.0.12 lladdr 02:00:00:00:00:12 dev eth0")
    net.ip("neigh replace fd09::12 lladdr 02:00:00:00:00:12 dev eth0")

    async def read(addresses: Addresses) -> None:
        found = dict(addresses.neighbours())
        mac = bytes.fromhex("020000000012")
        assert (found[ip_address("10.9.0.12")], found[ip_address("fd09::12")]) == (mac, mac)

    with_addresses(net, read)


def test_a_table_of_many_parts_is_read_whole(net: Net) -> None:
    net.ip("link add many type veth peer name far")
    net.ip("link set many up")
    for third in range(8):
        batch = "".join(f"addr add 10.7.{third}.{n}/32 dev many\n" for n in range(1, 201))
        net.ip("-batch -", batch)

    async def read(addresses: Addresses) -> None:
        addresses.view()
        held = [a for a in addresses.snapshot.addresses if a.interface == "many"]
        assert len({a.address for a in held if a.address.version == 4}) == 1600

    with_addresses(net, read)


def test_a_new_interface_of_the_same_name_is_used_after_the_next_look(net: Net) -> None:
    async def recreate(addresses: Addresses) -> None:
        assert await outcome(addresses, Operation.ADD) is Outcome.DONE
        net.ip("link del eth0")
        assert addresses.change(Operation.RENEW, LEASE, None)[0] is Outcome.FAILED
        plug(switch_of(net), net, "p9")
        net.ip("addr add 10.9.0.11/24 dev eth0")
        net.ip("addr add fd09::11/64 dev eth0 nodad")
        assert addresses.view().usable
        assert await outcome(addresses, Operation.ADD) is Outcome.DONE

    with_addresses(net, recreate)
    assert here(net, V4)
    assert here(net, V6)


@pytest.mark.filterwarnings("error::ResourceWarning")
@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_nothing_is_left_open(net: Net) -> None:
    async def remove(addresses: Addresses) -> None:
        addresses.change(Operation.REMOVE, LEASE, None)

    with_addresses(net, remove)
    gc.collect()
