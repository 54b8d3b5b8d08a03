"""What the daemon makes of frames that the packet filter took and of those it did not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from ipaddress import ip_address
from typing import Any

import pytest

from vipkeeper.core.types import MILLISECOND
from vipkeeper.daemon.strict import StrictLease
from vipkeeper.errors import HostError
from vipkeeper.host import strict
from vipkeeper.host.strict import Guard

LEASE = 400 * MILLISECOND
GUARD = Guard("eth0", 2, (ip_address("10.0.0.100"),))


class Kernel:
    """A packet filter in virtual time: one lease, and how often a table was installed."""

    def __init__(self) -> None:
        self.now = 1_000 * MILLISECOND
        self.there = False
        self.until = 0
        self.refuses = ""
        self.installed: list[str] = []
        self.warnings: list[str] = []
        self.lease = StrictLease(LEASE, self.emit, lambda: self.now, self.warnings.append)

    def emit(self, payload: bytes) -> bool:
        marks = self.lease._marks
        if not self.there or (payload[:8] == marks.renew and self.now >= self.until):
            return False
        self.until = self.now + LEASE
        return True

    async def install(self, ruleset: str) -> None:
        if self.refuses:
            raise HostError(self.refuses)
        self.there = True
        self.until = self.now + LEASE if "elements" in ruleset else 0
        self.installed.append(ruleset)

    async def remove(self) -> None:
        self.there = False

    def later(self, milliseconds: int) -> None:
        self.now += milliseconds * MILLISECOND

    @property
    def heard(self) -> bool:
        return not self.there or self.now < self.until


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(strict, "install", made.install)
    monkeypatch.setattr(strict, "remove", made.remove)
    return made


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


async def settle() -> None:
    """Let tasks that are ready run to their end."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_claim_is_heard_and_renewals_keep_it_so(kernel: Kernel) -> None:
    async def story() -> None:
        await kernel.lease.guard([GUARD])
        kernel.lease.renew()
        assert not kernel.heard, "a renewal armed a lease that nobody claimed"
        kernel.lease.arm()
        for _ in range(10):
            kernel.later(399)
            kernel.lease.renew()
            assert kernel.heard
        assert not kernel.lease.lapsed

    play(story)


def test_vip_that_is_to_go_falls_silent_although_adverts_go_on(kernel: Kernel) -> None:
    async def story() -> None:
        await kernel.lease.guard([GUARD])
        kernel.lease.arm()
        kernel.lease.leave()
        for _ in range(4):
            kernel.later(100)
            kernel.lease.renew()
        assert not kernel.heard
        kernel.lease.arm()
        kernel.later(399)
        kernel.lease.renew()
        kernel.later(399)
        assert kernel.heard

    play(story)


def test_late_renewal_is_a_lapse_until_the_next_claim(kernel: Kernel) -> None:
    async def story() -> None:
        await kernel.lease.guard([GUARD])
        kernel.lease.arm()
        kernel.later(400)
        kernel.lease.renew()
        await settle()
        assert kernel.lease.lapsed
        assert not kernel.heard
        assert len(kernel.installed) == 1
        kernel.lease.arm()
        assert not kernel.lease.lapsed
        assert kernel.heard

    play(story)


def test_table_that_vanished_is_put_back_running(kernel: Kernel) -> None:
    async def story() -> None:
        await kernel.lease.guard([GUARD])
        kernel.lease.arm()
        kernel.there = False
        kernel.later(100)
        kernel.lease.renew()
        await settle()
        assert kernel.there
        assert kernel.heard
        assert not kernel.lease.lapsed
        assert len(kernel.warnings) == 1

    play(story)


def test_without_a_table_the_vip_is_held_and_mending_is_tried_once_a_second(kernel: Kernel) -> None:
    async def story() -> None:
        await kernel.lease.guard([GUARD])
        kernel.there, kernel.refuses = False, "no"
        kernel.lease.arm()
        await settle()
        for _ in range(19):
            kernel.later(100)
            kernel.lease.renew()
            await settle()
        assert not kernel.lease.lapsed
        assert len(kernel.warnings) == 2
        kernel.refuses = ""
        kernel.later(100)
        kernel.lease.renew()
        await settle()
        assert kernel.there
        assert kernel.heard

    play(story)


def test_same_places_are_installed_once_and_new_ones_begin_silent(kernel: Kernel) -> None:
    async def story() -> None:
        await kernel.lease.guard([GUARD])
        kernel.lease.arm()
        await kernel.lease.guard([GUARD])
        await kernel.lease.guard([])
        assert kernel.heard
        await kernel.lease.guard([Guard("eth0", 3, GUARD.vips)])
        assert not kernel.heard
        assert len(kernel.installed) == 2

    play(story)


def test_install_that_failed_is_tried_at_the_next_look(kernel: Kernel) -> None:
    async def story() -> None:
        kernel.refuses = "no"
        await kernel.lease.guard([GUARD])
        kernel.refuses = ""
        await kernel.lease.guard([GUARD])
        assert kernel.there
        await kernel.lease.close()
        assert not kernel.there

    play(story)
