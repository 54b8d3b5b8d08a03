"""The driver carries out what the node asks of the channels, and hears their answers before a tick."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from vipkeeper.core.actions import Action, Exit, ProbeGateway, ProbeServer
from vipkeeper.core.events import (
    Commanded,
    Event,
    GatewayAnswered,
    ServerAnswered,
    Sign,
    Tick,
    Verb,
)
from vipkeeper.core.node import Node
from vipkeeper.daemon.driver import Driver, Ports


class AsksAndEnds:
    """A node that asks at its first event and ends at the first tick."""

    def __init__(self) -> None:
        self.seen: list[Event] = []

    def handle(self, event: Event, now: int) -> list[Action]:
        self.seen.append(event)
        if isinstance(event, Tick):
            return [Exit()]
        return [ProbeServer(2, service=True), ProbeGateway()] if len(self.seen) == 1 else []

    def deadline(self) -> int:
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
