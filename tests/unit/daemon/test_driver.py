"""The driver carries out what the node asks of the channels, and hears their answers before a tick."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, cast

import pytest

from vipkeeper.core.actions import Action, Exit, ProbeGateway, ProbeServer
from vipkeeper.core.events import (
    AdvertRejected,
    Commanded,
    Event,
    ForeignClaimSeen,
    GatewayAnswered,
    HostObserved,
    ProberLost,
    ServerAnswered,
    Sign,
    Tick,
    Verb,
)
from vipkeeper.core.node import Node
from vipkeeper.daemon.driver import EVENTS_PER_WAKE, Driver, Ports
from vipkeeper.errors import HostError
from vipkeeper.wire.types import Rejection


class AsksAndEnds:
    """A node that asks at its first event and ends at the first tick."""

    def __init__(self) -> None:
        self.seen: list[Event] = []

    def handle(self, event: Event, now: int) -> list[Action]:
        self.seen.append(event)
        if isinstance(event, Tick):
            return [Exit()]
        return [ProbeServer(2, service=True), ProbeGateway()] if len(self.seen) == 1 else []

    def deadline(self) -> int | None:
        return 0


class Answering:
    """Channels that answer each question at once."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self._waiting: list[Event] = []

    def probe_server(self, server: int, *, service: bool) -> None:
        self.asked.append((server, service))
        self._waiting.append(ServerAnswered(server, Sign.SERVICE))

    def probe_gateway(self) -> None:
        self.asked.append("gateway")
        self._waiting.append(GatewayAnswered())

    def drain(self) -> Sequence[Event]:
        waiting, self._waiting = self._waiting, []
        return waiting


class Silent:
    """Everything else a driver touches: nothing comes, nothing is kept."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: []


def test_answers_are_heard_before_the_tick() -> None:
    node, channels = AsksAndEnds(), Answering()
    silent = cast("Any", Silent())
    ports = Ports(lambda: 1, silent, silent, channels, silent, silent)
    driver = Driver(cast("Node", node), ports, (b"key",))
    asyncio.run(asyncio.wait_for(driver.run(Commanded(1, Verb.STANDBY_OFF)), 10))
    assert channels.asked == [(2, True), "gateway"]
    assert node.seen[1:] == [ServerAnswered(2, Sign.SERVICE), GatewayAnswered(), Tick()]


class EndsWhen(AsksAndEnds):
    """A node without a timer that ends when it hears a gateway."""

    def handle(self, event: Event, now: int) -> list[Action]:
        self.seen.append(event)
        return [Exit()] if isinstance(event, GatewayAnswered) else []

    def deadline(self) -> int | None:
        return None


class Waiting(Silent):
    """A port with something in it."""

    def __init__(self, *events: object) -> None:
        self.waiting = list(events)

    def drain(self) -> Sequence[Any]:
        waiting, self.waiting = self.waiting, []
        return waiting


def test_what_makes_a_socket_readable_is_taken_at_once_and_delivered_in_order() -> None:
    """Else the event loop finds the socket readable once more, for nothing."""
    node, source = EndsWhen(), ip_address("10.9.0.12")
    wire, channels = Waiting(ForeignClaimSeen(source, b"\2" * 6)), Waiting(GatewayAnswered())
    adverts, silent = Waiting((source, b"", 1)), cast("Any", Silent())
    ports = Ports(lambda: 1, silent, cast("Any", wire), cast("Any", channels), cast("Any", adverts), silent)  # fmt: skip

    async def main() -> None:
        driver = Driver(cast("Node", node), ports, (b"key",))
        driver.adverts_readable()
        driver.wire_readable()
        driver.channels_readable()
        assert [*adverts.waiting, *wire.waiting, *channels.waiting] == []
        await driver.run(Commanded(1, Verb.STANDBY_OFF))

    asyncio.run(asyncio.wait_for(main(), 10))
    assert node.seen[1:] == [
        AdvertRejected(source, Rejection.TOO_SHORT),
        ForeignClaimSeen(source, b"\2" * 6),
        GatewayAnswered(),
    ]


def test_a_flood_stays_in_the_kernel_while_earlier_events_wait() -> None:
    flood = Waiting(*[GatewayAnswered()] * EVENTS_PER_WAKE)
    silent, port = cast("Any", Silent()), cast("Any", flood)
    adverts = Waiting((ip_address("10.9.0.12"), b"", 1))

    async def main() -> None:
        driver = Driver(
            cast("Node", EndsWhen()),
            Ports(lambda: 1, silent, port, port, cast("Any", adverts), silent),
            (b"key",),
        )
        driver.wire_readable()
        flood.waiting = [GatewayAnswered()]
        driver.wire_readable()
        driver.channels_readable()
        driver.adverts_readable()
        assert flood.waiting
        assert adverts.waiting

    asyncio.run(main())


class DueInBetween(AsksAndEnds):
    """A node whose timer is due as soon as it has seen an event, and that ends at the tick."""

    def deadline(self) -> int | None:
        return 0 if len(self.seen) > 1 else None


def test_a_tick_that_falls_due_during_a_turn_waits_for_what_came_meanwhile() -> None:
    node, silent = DueInBetween(), cast("Any", Silent())
    channels = Answering()
    ports = Ports(lambda: 1, silent, silent, channels, silent, silent)

    async def main() -> None:
        driver = Driver(cast("Node", node), ports, (b"key",))
        driver.post(ProberLost())
        await driver.run(Commanded(1, Verb.STANDBY_OFF))

    asyncio.run(asyncio.wait_for(main(), 10))
    assert node.seen[1:] == [
        ProberLost(),
        ServerAnswered(2, Sign.SERVICE),
        GatewayAnswered(),
        Tick(),
    ]


class Host(Silent):
    """Addresses whose view is told later, as a strict lease makes it wait for the packet filter."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def view(self) -> Any:
        self.asked.set()
        return await self.answer


def test_nothing_is_handled_while_the_host_is_read_and_the_view_comes_first() -> None:
    node, silent = EndsWhen(), cast("Any", Silent())

    async def main() -> None:
        host = Host()
        ports = Ports(lambda: 1, cast("Any", host), silent, silent, silent, silent)
        driver = Driver(cast("Node", node), ports, (b"key",))
        running = asyncio.create_task(driver.run(Commanded(1, Verb.STANDBY_OFF)))
        driver.host_changed()
        await host.asked.wait()
        driver.post(GatewayAnswered())
        await asyncio.sleep(0)
        driver.wire_readable()
        assert len(node.seen) == 1
        host.answer.set_result("view")
        await running

    asyncio.run(asyncio.wait_for(main(), 10))
    assert node.seen[1:] == [HostObserved(cast("Any", "view")), GatewayAnswered()]


def test_a_host_that_cannot_be_read_ends_the_daemon() -> None:
    async def main() -> None:
        host, silent = Host(), cast("Any", Silent())
        host.answer.set_exception(HostError("gone"))
        ports = Ports(lambda: 1, cast("Any", host), silent, silent, silent, silent)
        driver = Driver(cast("Node", EndsWhen()), ports, (b"key",))
        driver.host_changed()
        await driver.run(Commanded(1, Verb.STANDBY_OFF))

    with pytest.raises(HostError, match="gone"):
        asyncio.run(asyncio.wait_for(main(), 10))


class Fails(EndsWhen):
    """A node with a mistake in it."""

    def handle(self, event: Event, now: int) -> list[Action]:
        if self.seen:
            raise ZeroDivisionError
        return super().handle(event, now)


def test_a_mistake_in_a_turn_ends_the_daemon() -> None:
    """A callback's error is only logged by the event loop, which would go on without the node."""
    silent = cast("Any", Silent())

    async def main() -> None:
        ports = Ports(lambda: 1, silent, silent, silent, silent, silent)
        driver = Driver(cast("Node", Fails()), ports, (b"key",))
        driver.post(GatewayAnswered())
        await driver.run(Commanded(1, Verb.STANDBY_OFF))

    with pytest.raises(ZeroDivisionError):
        asyncio.run(asyncio.wait_for(main(), 10))


class ChangesWhileRead(Silent):
    """A host that changes each time it is read."""

    def __init__(self) -> None:
        self.driver: Driver | None = None
        self.reads = 0

    async def view(self) -> Any:
        assert self.driver is not None
        self.reads += 1
        if self.reads < 100:
            self.driver.host_changed()
        return "view"


def test_a_host_that_changes_all_the_time_does_not_keep_the_timer_waiting() -> None:
    node, host, silent = AsksAndEnds(), ChangesWhileRead(), cast("Any", Silent())

    async def main() -> None:
        ports = Ports(lambda: 1, cast("Any", host), silent, silent, silent, silent)
        host.driver = Driver(cast("Node", node), ports, (b"key",))
        host.driver.host_changed()
        await host.driver.run(Commanded(1, Verb.STANDBY_OFF))

    asyncio.run(asyncio.wait_for(main(), 10))
    assert node.seen[1:] == [HostObserved(cast("Any", "view")), Tick()]
    assert host.reads == 1
