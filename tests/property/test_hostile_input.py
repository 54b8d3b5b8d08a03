"""What a stranger sends costs the same each time and leaves nothing that grows: counted, not timed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from types import FrameType

import pytest

from fuzz.weight import weight
from support.cluster import START, VIP, settings
from vipkeeper.core.events import (
    AdvertReceived,
    AdvertRejected,
    Channel,
    Event,
    ForeignClaimSeen,
    Started,
    Tick,
    VipAnswered,
)
from vipkeeper.core.node import Node
from vipkeeper.core.types import MILLISECOND, AddressState, HostView, Instant, VipView
from vipkeeper.wire.types import Advert, Health, Heard, Rejection, Role

MANY = 10_000
TOGETHER = 100_000
OWN_BOOT = 99
PEER = IPv4Address("10.10.10.12")
REASONS = list(Rejection)
KNOWN = Advert(
    sender=PEER,
    boot_id=5,
    counter=1000,
    epoch=3,
    role=Role.HOLDER,
    health=Health.READY,
    standby=False,
    interval_ms=100,
    cluster=b"digest01",
    heard=(Heard(OWN_BOOT, 10), Heard(0, None), Heard(0, None)),
)

Make = Callable[[int, Instant], Event]


def rejected(number: int, _: Instant) -> Event:
    return AdvertRejected(IPv4Address(0x0A000000 + number), REASONS[number % len(REASONS)])


def replayed(number: int, now: Instant) -> Event:
    return AdvertReceived(PEER, replace(KNOWN, counter=number % 1000), now)


def unknown_sender(number: int, now: Instant) -> Event:
    address = IPv4Address(0x0B000000 + number)
    return AdvertReceived(address, replace(KNOWN, sender=address, counter=number), now)


def wrong_source(number: int, now: Instant) -> Event:
    return AdvertReceived(IPv4Address(0x0B000000 + number), replace(KNOWN, counter=number), now)


def unproven_boot(number: int, now: Instant) -> Event:
    """Old adverts of the same server: authentic, each of another boot, none knows ours."""
    return AdvertReceived(PEER, replace(KNOWN, boot_id=1000 + number, heard=()), now)


def answers_for_the_vip(number: int, _: Instant) -> Event:
    mac = b"\2\2" + number.to_bytes(4, "big")
    return VipAnswered(VIP, mac, Channel.ECHO if number & 1 else Channel.ARP)


def foreign_claims(number: int, _: Instant) -> Event:
    return ForeignClaimSeen(VIP, b"\2\2" + number.to_bytes(4, "big"))


HOSTILE = [
    rejected,
    replayed,
    unknown_sender,
    wrong_source,
    unproven_boot,
    answers_for_the_vip,
    foreign_claims,
]


def follower() -> Node:
    """A server that follows a holder: whom it knows, it knows."""
    node = Node(settings(), OWN_BOOT)
    host = HostView(START, "eth0", True, True, (VipView(VIP, AddressState.ABSENT),))
    node.handle(Started(host, None), START)
    node.handle(AdvertReceived(PEER, KNOWN, START), START)
    return node


def calls(node: Node, event: Event, now: Instant) -> int:
    """How many functions are called for one event: work, without a clock."""
    count = 0

    def called(_: FrameType, kind: str, __: object) -> None:
        nonlocal count
        count += kind in ("call", "c_call")

    # A collection in between calls whoever asked to be told of it, hypothesis among them.
    gc.disable()
    sys.setprofile(called)
    try:
        node.handle(event, now)
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


@pytest.mark.parametrize("make", HOSTILE)
def test_hostile_packets_cost_the_same_however_many_came_before(make: Make) -> None:
    node = follower()
    when: Instant = START + 1
    for number in range(64):
        node.handle(make(number, when), when)
    first = max(calls(node, make(number, when), when) for number in range(64, 128))
    held = weight(node)
    for number in range(128, MANY):
        node.handle(make(number, when), when)
    last = max(calls(node, make(number, when), when) for number in range(MANY, MANY + 64))
    assert last <= first
    assert weight(node) <= held


def test_a_hundred_thousand_hostile_packets_leave_nothing_behind() -> None:
    node = follower()
    now: Instant = START
    for number in range(TOGETHER):
        if number % 500 == 0:
            now += 10 * MILLISECOND
            node.handle(Tick(), now)
        node.handle(HOSTILE[number % len(HOSTILE)](number, now), now)
        if number == TOGETHER // 10:
            held = weight(node)
    assert weight(node) <= held + 100


@pytest.mark.parametrize("make", HOSTILE)
def test_a_flood_while_the_holder_is_suspected_leaves_nothing_behind(make: Make) -> None:
    """The waiting side remembers who answers; it must not remember everybody."""
    node = follower()
    now: Instant = START
    for number in range(5_000):
        if number % 50 == 0:
            now += 10 * MILLISECOND
            node.handle(Tick(), now)
        node.handle(make(number, now), now)
        if number == 100:
            held = weight(node)
    assert weight(node) <= held + 300
