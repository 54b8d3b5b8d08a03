"""Packet sockets between real kernels: who answers for a VIP, who hears an announcement."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from support.namespaces import (
    Net,
    events_until,
    eventually,
    lan,
    packet_socket,
    plug,
    switch_of,
)
from vipkeeper.core.events import Channel, Event, ForeignClaimSeen, VipAnswered
from vipkeeper.host.frames import Place, Wire
from vipkeeper.wire import arp, ndp
from vipkeeper.wire.types import IPAddress

pytestmark = pytest.mark.lab

V4, V6 = IPv4Address("10.9.0.100"), IPv6Address("fd09::100")
BOTH = pytest.mark.parametrize("vip", [V4, V6])
OWN = {4: ip_address("10.9.0.11"), 6: ip_address("fd09::11")}
HOLDER = {4: ip_address("10.9.0.12"), 6: ip_address("fd09::12")}
MAC = bytes.fromhex("02005e000001")


@pytest.fixture
def nets() -> Iterator[list[Net]]:
    with lan("asker", "holder", "third") as made:
        yield made


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


def places(net: Net, *vips: IPAddress) -> list[Place]:
    return [Place(vip, "eth0", net.mac(), OWN[vip.version]) for vip in vips]


def put(net: Net, *vips: IPAddress) -> None:
    for vip in vips:
        net.ip(f"addr add {vip}/{vip.max_prefixlen} dev eth0 nodad")


def answers(*wanted: Event) -> Callable[[Sequence[Event]], bool]:
    return lambda events: set(wanted) <= set(events)


def by(net: Net, vip: IPAddress) -> tuple[VipAnswered, VipAnswered]:
    mac = net.mac()
    return VipAnswered(vip, mac, Channel.ARP), VipAnswered(vip, mac, Channel.ECHO)


def answered(events: Sequence[Event]) -> set[VipAnswered]:
    """Without the holder's own ARP requests for the asker, which name the VIP as their sender."""
    return {event for event in events if isinstance(event, VipAnswered)}


@BOTH
def test_a_probe_finds_the_holder(nets: list[Net], wire: Wire, vip: IPAddress) -> None:
    asker, holder, _ = nets
    put(holder, vip)
    assert asker.call(lambda: wire.place(places(asker, vip)))
    wire.probe()
    found = events_until(wire, answers(*by(holder, vip)))
    assert answered(found) == set(by(holder, vip))
    assert wire.errors == 0


@BOTH
def test_an_absent_vip_does_not_answer(nets: list[Net], wire: Wire, vip: IPAddress) -> None:
    asker, holder, _ = nets
    present = HOLDER[vip.version]
    # Asked after the absent one: once it has answered, an answer for the other would be here.
    asker.call(lambda: wire.place(places(asker, vip, present)))
    wire.probe()
    found = events_until(wire, answers(*by(holder, present)))
    assert {event.vip for event in answered(found)} == {present}


@BOTH
def test_only_arp_answers_where_ip_is_dropped(nets: list[Net], wire: Wire, vip: IPAddress) -> None:
    asker, holder, _ = nets
    put(holder, vip)
    holder.nft(
        "table inet f { chain i { type filter hook input priority 0; policy accept;"
        f" ip daddr {V4} drop; ip6 daddr {V6} meta l4proto != ipv6-icmp drop;"
        f" ip6 daddr {V6} icmpv6 type echo-request drop; }}; }}"
    )
    present = HOLDER[vip.version]
    asker.call(lambda: wire.place(places(asker, vip, present)))
    wire.probe()
    found = events_until(wire, answers(by(holder, vip)[0], *by(holder, present)))
    assert by(holder, vip)[1] not in found


@BOTH
def test_a_reset_counts_where_echoes_are_dropped(
    nets: list[Net], wire: Wire, vip: IPAddress
) -> None:
    asker, holder, _ = nets
    put(holder, vip)
    holder.nft(
        "table inet f { chain i { type filter hook input priority 0; policy accept;"
        " icmp type echo-request drop; icmpv6 type echo-request drop; }; }"
    )
    asker.call(lambda: wire.place(places(asker, vip)))
    wire.probe()
    events_until(wire, answers(*by(holder, vip)))


@pytest.mark.parametrize("arp_ignore", [1, 2])
def test_the_holder_answers_whatever_arp_ignore_says(
    nets: list[Net], wire: Wire, arp_ignore: int
) -> None:
    asker, holder, _ = nets
    put(holder, V4)
    holder.sysctl("net.ipv4.conf.all.arp_ignore", arp_ignore)
    asker.call(lambda: wire.place(places(asker, V4)))
    wire.probe()
    events_until(wire, answers(*by(holder, V4)))


@BOTH
def test_an_announcement_changes_what_neighbours_believe(
    nets: list[Net], wire: Wire, vip: IPAddress
) -> None:
    asker, holder, third = nets
    third.ip(f"neigh replace {vip} lladdr {holder.mac().hex(':')} dev eth0 nud stale")
    asker.call(lambda: wire.place(places(asker, vip)))
    wire.announce()

    def believes() -> bool:
        entries = json.loads(third.ip("-j neigh show dev eth0"))
        macs = {entry["dst"]: entry.get("lladdr") for entry in entries}
        return macs.get(str(vip)) == asker.mac().hex(":")

    eventually(believes)


def test_an_announcement_is_a_request_and_a_reply(nets: list[Net], wire: Wire) -> None:
    asker, _, third = nets
    with packet_socket(third) as seen:
        asker.call(lambda: wire.place(places(asker, V4, V6)))
        wire.announce()
        kinds: set[arp.Operation] = set()
        advertised = None
        while len(kinds) < 2 or advertised is None:
            frame = seen.recv(2048)
            message = arp.decode_frame(frame)
            if message is not None and message.sender_ip == message.target_ip == V4:
                assert message.sender_mac == asker.mac()
                kinds.add(message.operation)
            neighbour = ndp.decode_frame(frame)
            if neighbour is not None and neighbour.target == V6:
                advertised = neighbour
    assert kinds == {arp.Operation.REQUEST, arp.Operation.REPLY}
    assert (advertised.link_address, advertised.override, advertised.solicited) == (
        asker.mac(),
        True,
        False,
    )


@BOTH
def test_another_mac_that_claims_the_vip_unasked_is_seen(
    nets: list[Net], wire: Wire, vip: IPAddress
) -> None:
    asker, _, third = nets
    other = Wire()
    asker.call(lambda: wire.place(places(asker, vip)))
    third.call(lambda: other.place(places(third, vip)))
    other.announce()
    other.close()
    claim = ForeignClaimSeen(vip, third.mac())
    assert set(events_until(wire, answers(claim))) == {claim}


@BOTH
def test_our_own_announcement_is_no_foreign_claim(
    nets: list[Net], wire: Wire, vip: IPAddress
) -> None:
    asker, holder, _ = nets
    present = HOLDER[vip.version]
    asker.call(lambda: wire.place(places(asker, vip, present)))
    put(asker, vip)
    wire.announce()
    wire.probe()
    found = events_until(wire, answers(*by(holder, present)))
    assert vip not in {event.vip for event in found}  # type: ignore[union-attr]


def test_our_own_announcement_sent_back_by_the_network_is_no_foreign_claim(
    nets: list[Net], wire: Wire
) -> None:
    asker, holder, third = nets
    present = HOLDER[4]
    asker.call(lambda: wire.place(places(asker, V4, present)))
    with packet_socket(third) as sock:
        for frame in arp.gratuitous(V4, asker.mac()):
            sock.send(frame[:6] + third.mac() + frame[12:])
    wire.probe()
    found = events_until(wire, answers(*by(holder, present)))
    assert V4 not in {event.vip for event in found}  # type: ignore[union-attr]


def test_a_vlan_on_the_same_cable_is_another_network(nets: list[Net], wire: Wire) -> None:
    asker, holder, third = nets
    present = HOLDER[4]
    asker.call(lambda: wire.place(places(asker, V4, present)))
    claim = arp.gratuitous(V4, MAC)[0]
    with packet_socket(third) as sock:
        sock.send(claim[:12] + bytes.fromhex("81000014") + claim[12:])  # VLAN 20
        wire.probe()
        found = events_until(wire, answers(*by(holder, present)))
        assert V4 not in {event.vip for event in found}  # type: ignore[union-attr]
        sock.send(claim[:12] + bytes.fromhex("8100e000") + claim[12:])  # a priority tag only
        events_until(wire, lambda events: ForeignClaimSeen(V4, MAC) in events)


def test_noise_is_read_without_harm(nets: list[Net], wire: Wire) -> None:
    asker, holder, third = nets
    present = HOLDER[4]
    asker.call(lambda: wire.place(places(asker, V4, present)))
    with packet_socket(third) as sock:
        for frame in (*arp.gratuitous(V4, MAC), ndp.advertisement(V6, MAC)):
            for length in range(14, len(frame)):
                sock.send(frame[:length])
            for at in range(14, len(frame)):
                sock.send(frame[:at] + bytes([frame[at] ^ 0xFF]) + frame[at + 1 :])
        wire.probe()
        events_until(wire, answers(*by(holder, present)))
    assert wire.errors == 0


def test_a_full_queue_does_not_hold_the_loop(nets: list[Net], wire: Wire) -> None:
    asker, _, third = nets
    asker.call(lambda: wire.place(places(asker, V4)))
    with packet_socket(third) as sock:
        for _ in range(400):
            sock.send(arp.gratuitous(V4, MAC)[0])
    assert 0 < len(wire.drain()) <= 128


@BOTH
@pytest.mark.parametrize("mac", ["", "02:00:5e:00:00:11"], ids=["new MAC", "same MAC"])
def test_an_interface_made_again_works_after_it_is_placed_again(
    nets: list[Net], wire: Wire, vip: IPAddress, mac: str
) -> None:
    asker, holder, _ = nets
    put(holder, vip)
    if mac:
        asker.ip(f"link set eth0 address {mac}")
    asker.call(lambda: wire.place(places(asker, vip)))
    asker.ip("link del eth0")
    wire.probe()
    wire.announce()
    wire.drain()
    assert wire.errors > 0
    plug(switch_of(asker), asker, "p9", mac=mac)
    asker.ip("addr add 10.9.0.11/24 dev eth0")
    asker.ip("addr add fd09::11/64 dev eth0 nodad")
    assert asker.call(lambda: wire.place(places(asker, vip)))
    assert not asker.call(lambda: wire.place(places(asker, vip)))
    wire.probe()
    events_until(wire, answers(*by(holder, vip)))


def test_an_interface_that_is_not_there_yet_is_tried_again(nets: list[Net], wire: Wire) -> None:
    asker, holder, _ = nets
    put(holder, V4)
    later = [Place(V4, "late0", MAC, OWN[4])]
    asker.call(lambda: wire.place(later))
    assert (wire.errors, wire.filenos) == (1, [])
    plug(switch_of(asker), asker, "p9", "late0", MAC.hex(":"))
    asker.ip("addr flush dev eth0")
    asker.ip("addr add 10.9.0.11/24 dev late0")
    assert asker.call(lambda: wire.place(later))
    wire.probe()
    events_until(wire, answers(*by(holder, V4)))
