"""The only caller of `core.node`: takes events from everywhere, carries out actions in order.

A *turn* is a plain call that a readable socket or the timer makes, so that a wake-up is one round of
the event loop; only reading the host, which may wait, is a task, and the turn goes on behind it. Every turn delivers what has arrived (packets first, in the order the kernel
received them) and only then a `Tick`; the node itself looks at the end of its lease before anything
else. Results of address actions go back to the node before any other event.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from vipkeeper.core.actions import (
    Action,
    AddressOperation,
    Alarm,
    Announce,
    ChangeAddresses,
    Exit,
    ProbeGateway,
    ProbeServer,
    ProbeVips,
    ReadNeighbours,
    Reply,
    SaveRecord,
    SendAdvert,
    Transition,
)
from vipkeeper.core.events import (
    AddressesDone,
    AddressOutcome,
    AdvertReceived,
    AdvertRejected,
    Commanded,
    Event,
    HostObserved,
    NeighboursRead,
    Tick,
    Verb,
)
from vipkeeper.core.node import Node
from vipkeeper.core.types import SECOND, Duration, HostView, Instant, Record
from vipkeeper.wire.advert import decode, encode
from vipkeeper.wire.types import Advert, IPAddress, Role

EVENTS_PER_WAKE = 512
"""Bound of the work between two looks at the deadline, whatever floods the host."""


TOLD_LAST = (Transition, Alarm, SaveRecord, Exit)
"""Log lines and files wait until addresses are changed and adverts are out: a handover is milliseconds."""


class AddressPort(Protocol):
    """Changes and reads the VIPs of this host (host.netlink)."""

    async def view(self) -> HostView:
        """Interface and addresses, read now."""

    def change(
        self, operation: AddressOperation, lifetime: Duration, not_after: Instant | None
    ) -> tuple[AddressOutcome, Instant, Instant, str]:
        """Carry out one address operation; outcome, clock before, clock after, detail."""

    def neighbours(self) -> tuple[tuple[IPAddress, bytes], ...]:
        """(address, MAC) of every entry in the kernel's neighbour table that has a MAC."""


class WirePort(Protocol):
    """Frames on the VIP's interface (host.frames)."""

    def probe(self) -> None:
        """Ask once whether the VIP answers."""

    def announce(self) -> None:
        """Send one round of gratuitous ARP and unsolicited NA."""

    def drain(self) -> Sequence[Event]:
        """Answers and foreign claims that wait to be read."""


class ChannelPort(Protocol):
    """What a suspicion asks beside the VIP (host.channels)."""

    def probe_server(self, server: int, *, service: bool) -> None:
        """Ask a server's kernel once and, with `service`, its API server."""

    def probe_gateway(self) -> None:
        """Ask once whether the gateway answers."""

    def drain(self) -> Sequence[Event]:
        """Answers that wait to be read."""


class AdvertPort(Protocol):
    """The advert socket (host.udp)."""

    def drain(self) -> Sequence[tuple[IPAddress, bytes, Instant]]:
        """Datagrams that wait: source, bytes, kernel receive time."""

    def send(self, data: bytes, to: Sequence[IPAddress]) -> None:
        """Best effort."""


class LeasePort(Protocol):
    """The lease that only our own adverts renew (daemon.strict)."""

    def renew(self) -> None:
        """Start it again, if it still runs; never waits."""


class Observer(Protocol):
    """Log, history, trace and records: what must be told, never anything that decides."""

    def event(self, at: Instant, event: Event) -> None:
        """An event is about to be handled."""

    def action(self, at: Instant, action: Action) -> None:
        """An action is about to be carried out."""

    def transition(self, at: Instant, transition: Transition) -> None:
        """The state changed."""

    def alarm(self, alarm: Alarm) -> None:
        """An operator should know."""

    def save(self, record: Record) -> None:
        """Keep across a restart."""


@dataclass(slots=True)
class Ports:
    """Everything outside that the driver touches."""

    clock: Callable[[], Instant]
    addresses: AddressPort
    wire: WirePort
    channels: ChannelPort
    adverts: AdvertPort
    observer: Observer
    lease: LeasePort | None = None
    """None: the lifetime of the address is the only lease."""


class Driver:
    """Runs one node until it exits."""

    def __init__(self, node: Node, ports: Ports, keys: Sequence[bytes]) -> None:
        """`keys`: the first authenticates what is sent, any of them what is received."""
        self.node = node
        self.keys = tuple(keys)
        self.lateness: Duration = 0
        """The latest any `Tick` came since the start."""
        self._ports = ports
        self._inbox: deque[Event] = deque()
        self._over: asyncio.Future[None] | None = None
        """Done when the node has ended, or failed; None before the first event."""
        self._queued = False
        """True while a turn waits for its round of the event loop."""
        self._view_wanted = False
        self._viewing: asyncio.Task[HostView] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: Instant | None = None
        self._exited = False
        self._replies: dict[int, asyncio.Future[Reply]] = {}
        self._request = 0
        self.on_turn: Callable[[], None] | None = None
        """Called once a wake-up, after everything due was done (systemd's watchdog)."""

    def post(self, event: Event) -> None:
        """Hand in an event from a callback of the event loop."""
        self._inbox.append(event)
        self._turn_soon()

    def adverts_readable(self) -> None:
        """Take the adverts that wait. In a flood the rest stays in the kernel, which drops what is too much."""
        if len(self._inbox) < EVENTS_PER_WAKE:
            self._drain_adverts()
        self._turn()

    def wire_readable(self) -> None:
        """The same for frames."""
        if len(self._inbox) < EVENTS_PER_WAKE:
            self._inbox.extend(self._ports.wire.drain())
        self._turn()

    def channels_readable(self) -> None:
        """The same for the answers of servers and gateway."""
        if len(self._inbox) < EVENTS_PER_WAKE:
            self._inbox.extend(self._ports.channels.drain())
        self._turn()

    def host_changed(self) -> None:
        """Links or addresses changed: read them afresh before the next timer."""
        self._view_wanted = True
        self._turn_soon()

    async def ask(self, verb: Verb, *, to: str | None = None, force: bool = False) -> Reply:
        """Put an operator's request to the node and wait for its answer."""
        self._request += 1
        request = self._request
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._replies[request] = future
        self.post(Commanded(request, verb, to, force))
        try:
            return await future
        finally:
            self._replies.pop(request, None)

    async def run(self, first: Event) -> None:
        """Feed the first event, then go on until the node says `Exit`.

        Raises:
            HostError: the host cannot be read any more.
        """
        self._feed(first)
        self._over = asyncio.get_running_loop().create_future()
        self._turn_soon()
        try:
            await self._over
        finally:
            for waiting in (self._timer, self._viewing):
                if waiting is not None:
                    waiting.cancel()
        for future in self._replies.values():
            if not future.done():
                future.set_result(Reply(0, True, "the daemon has ended"))

    def _turn_soon(self) -> None:
        """In a round of its own: a turn never begins within another, and a flood must not keep signals and
        the control socket waiting."""
        if not self._queued:
            self._queued = True
            asyncio.get_running_loop().call_soon(self._queued_turn)

    def _queued_turn(self) -> None:
        self._queued = False
        self._turn()

    def _turn(self, *, viewed: bool = False) -> None:
        """One wake-up; none before the first event, after the last, or while the host is read.

        `viewed`: the host has been read in this turn, and is not again: changes must not keep the timer waiting.
        """
        if self._over is None or self._over.done() or self._viewing is not None:
            return
        try:
            self._take_turn(viewed=viewed)
        except Exception as error:  # noqa: BLE001
            # A callback's error alone would leave the event loop running without the node: `run` raises it.
            self._over.set_exception(error)
            return
        if self._exited:
            self._over.set_result(None)
        elif self._viewing is None:
            self._arm(self.node.deadline())
            if self.on_turn is not None:
                self.on_turn()

    def _arm(self, deadline: Instant | None) -> None:
        """One timer, set anew only when the deadline has changed: most wake-ups do not change it."""
        if deadline == self._armed_for and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._armed_for = None, deadline
        if deadline is not None:
            delay = max(0, deadline - self._ports.clock()) / SECOND
            self._timer = asyncio.get_running_loop().call_later(delay, self._expired)

    def _expired(self) -> None:
        self._timer = None
        self._turn()

    def _take_turn(self, *, viewed: bool) -> None:
        due = self._due()
        if due:
            # What came since the sockets were found readable is heard before the tick.
            self._drain_adverts()
            self._inbox.extend(self._ports.wire.drain())
            self._inbox.extend(self._ports.channels.drain())
        for _ in range(len(self._inbox) if due else min(len(self._inbox), EVENTS_PER_WAKE)):
            self._feed(self._inbox.popleft())
            if self._exited:
                return
        if self._view_wanted and not viewed:
            self._view_wanted = False
            self._viewing = asyncio.get_running_loop().create_task(self._view())
            self._viewing.add_done_callback(self._viewed)
            return
        if self._inbox or self._view_wanted:
            self._turn_soon()
        deadline = self.node.deadline()
        now = self._ports.clock()
        if due and deadline is not None and now >= deadline:
            self.lateness = max(self.lateness, now - deadline)
            self._feed(Tick())

    async def _view(self) -> HostView:
        return await self._ports.addresses.view()

    def _viewed(self, reading: asyncio.Task[HostView]) -> None:
        """The turn goes on: the view first, then what came meanwhile, and what has fallen due."""
        self._viewing = None
        if self._over is None or self._over.done():
            return
        if (error := reading.exception()) is not None:
            self._over.set_exception(error)
            return
        self._inbox.appendleft(HostObserved(reading.result()))
        self._turn(viewed=True)

    def _due(self) -> bool:
        deadline = self.node.deadline()
        return deadline is not None and self._ports.clock() >= deadline

    def _drain_adverts(self) -> None:
        for source, data, received in self._ports.adverts.drain():
            advert = decode(data, self.keys)
            if isinstance(advert, Advert):
                self._inbox.append(AdvertReceived(source, advert, received))
            else:
                self._inbox.append(AdvertRejected(source, advert))

    def _feed(self, event: Event) -> None:
        pending = [event]
        told: list[tuple[Instant, Action]] = []
        for current in pending:
            now = self._ports.clock()
            self._ports.observer.event(now, current)
            for action in self.node.handle(current, now):
                self._ports.observer.action(now, action)
                if isinstance(action, TOLD_LAST):
                    told.append((now, action))
                elif (result := self._carry_out(action)) is not None:
                    pending.append(result)
        for at, action in told:
            self._tell(action, at)

    def _carry_out(self, action: Action) -> Event | None:
        match action:
            case SendAdvert():
                data = encode(action.advert, self.keys[0])
                self._ports.adverts.send(data, action.to)
                if action.advert.role is Role.HOLDER and self._ports.lease is not None:
                    self._ports.lease.renew()
            case ChangeAddresses():
                outcome, started, finished, detail = self._ports.addresses.change(
                    action.operation, action.lifetime, action.not_after
                )
                return AddressesDone(action.id, outcome, started, finished, detail)
            case ProbeVips():
                self._ports.wire.probe()
            case ProbeServer():
                self._ports.channels.probe_server(action.server, service=action.service)
            case ProbeGateway():
                self._ports.channels.probe_gateway()
            case ReadNeighbours():
                return NeighboursRead(self._ports.addresses.neighbours())
            case Announce():
                self._ports.wire.announce()
            case Reply():
                self._answer(action)
        return None

    def _tell(self, action: Action, at: Instant) -> None:
        match action:
            case SaveRecord():
                self._ports.observer.save(action.record)
            case Transition():
                self._ports.observer.transition(at, action)
            case Alarm():
                self._ports.observer.alarm(action)
            case Exit():
                self._exited = True

    def _answer(self, reply: Reply) -> None:
        future = self._replies.get(reply.id)
        if future is not None and not future.done():
            future.set_result(reply)
