"""What the strict lease makes of the address operations: a claim arms it, its end ends the other one."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Any, cast

import pytest

from vipkeeper.core.actions import AddressOperation
from vipkeeper.core.events import AddressOutcome
from vipkeeper.core.types import (
    MILLISECOND,
    SECOND,
    AddressState,
    Duration,
    HostView,
    Instant,
    VipView,
)
from vipkeeper.daemon.placement import Placement
from vipkeeper.host.clock import now
from vipkeeper.host.frames import Place

VIP = ip_address("10.0.0.100")
HOUR = 3600 * SECOND


class Addresses:
    """Does what it is asked, as slowly as it is told."""

    def __init__(self) -> None:
        self.asked: list[AddressOperation] = []
        self.took: Duration = 0

    def change(
        self, operation: AddressOperation, lifetime: Duration, not_after: Instant | None
    ) -> tuple[AddressOutcome, Instant, Instant, str]:
        self.asked.append(operation)
        return AddressOutcome.DONE, now() - self.took, now(), ""


class Lease:
    """A strict lease that only counts."""

    def __init__(self, lease: Duration = HOUR) -> None:
        self.lease = lease
        self.lapsed = False
        self.armed = self.left = 0

    def leave(self) -> None:
        self.left += 1

    def arm(self) -> None:
        self.armed += 1


def change(addresses: Addresses, lease: Lease, operation: AddressOperation) -> AddressOutcome:
    nothing = cast(Any, None)
    placement = Placement(
        cast(Any, addresses), nothing, nothing, (VIP,), VIP, lambda: None, cast(Any, lease)
    )
    return placement.change(operation, 3 * SECOND, None)[0]


def test_claim_arms_the_lease_and_nothing_else_does() -> None:
    addresses, lease = Addresses(), Lease()
    for operation in AddressOperation:
        assert change(addresses, lease, operation) is AddressOutcome.DONE
    assert addresses.asked == list(AddressOperation)
    assert lease.armed == 1


def test_removal_lets_the_lease_run_out_whatever_the_kernel_makes_of_it() -> None:
    lease = Lease()
    change(Addresses(), lease, AddressOperation.REMOVE)
    assert lease.left == 1


def test_claim_that_took_longer_than_the_lease_is_given_up_unheard() -> None:
    addresses, lease = Addresses(), Lease(400 * MILLISECOND)
    addresses.took = SECOND
    assert change(addresses, lease, AddressOperation.ADD) is AddressOutcome.LAPSED
    assert addresses.asked == [AddressOperation.ADD, AddressOperation.REMOVE]
    assert lease.armed == 0


@pytest.mark.parametrize("operation", [AddressOperation.RENEW, AddressOperation.REORDER])
def test_address_is_not_renewed_once_the_strict_lease_has_ended(
    operation: AddressOperation,
) -> None:
    addresses, lease = Addresses(), Lease()
    lease.lapsed = True
    assert change(addresses, lease, operation) is AddressOutcome.LAPSED
    assert addresses.asked == [AddressOperation.REMOVE]


def test_claim_after_a_lapse_is_carried_out() -> None:
    addresses, lease = Addresses(), Lease()
    lease.lapsed = True
    assert change(addresses, lease, AddressOperation.ADD) is AddressOutcome.DONE
    assert lease.armed == 1


class Ears:
    """Packet sockets and channels that only count what they are asked to send."""

    def __init__(self) -> None:
        self.announced = 0

    def place(self, _: object) -> bool:
        return False

    def announce(self) -> None:
        self.announced += 1


class Host:
    """A kernel with one VIP, as the test sets it."""

    def __init__(self) -> None:
        self.mac = b"\x02\0\0\0\0\x01"
        self.state = AddressState.LEASED
        self.up = True

    def view(self) -> HostView:
        return HostView(0, "eth0", self.up, True, (VipView(VIP, self.state),))


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    kernel = Host()
    monkeypatch.setattr(Placement, "_place", lambda _, vip: Place(vip, "eth0", kernel.mac, None))
    monkeypatch.setattr(Placement, "_reach", lambda *_: None)
    return kernel


def announced(host: Host, *changes: str) -> int:
    """How often the VIP is announced when the host is looked at after each of these changes."""
    ears = Ears()
    stub = cast(Any, ears)
    placement = Placement(cast(Any, host), stub, stub, (VIP,), VIP, lambda: None)
    for change in ("", *changes):
        match change:
            case "mac":
                host.mac = host.mac[:-1] + bytes([host.mac[-1] + 1])
            case "down" | "up":
                host.up = change == "up"
            case "gone":
                host.state = AddressState.ABSENT
        asyncio.run(placement.view())
    return ears.announced


def test_vip_is_announced_when_its_interface_gets_another_mac(host: Host) -> None:
    assert announced(host, "mac", "", "mac") == 2


def test_mac_that_changes_while_the_link_is_down_is_not_missed(host: Host) -> None:
    assert announced(host, "down", "mac", "up") == 1


def test_nobody_is_told_of_a_vip_that_is_not_here(host: Host) -> None:
    assert announced(host, "gone", "mac") == 0
    assert announced(host, "", "") == 0
