"""The only caller of `core.node`: takes events from everywhere, carries out actions in order.

One task, one event loop. Every wake-up delivers what has arrived (packets first, in the order the
kernel received them) and only then a `Tick`; the node itself looks at the end of its lease before
anything else. Results of address actions go back to the node before any other event.
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

    async def change(
        self, operation: AddressOperation, lifetime: Duration, not_after: Instant | None
    ) -> tuple[AddressOutcome, Instant, Instant, str]:
        """Carry out one address operation; outcome, clock before, clock after, detail."""

    async def neighbours(self) -> tuple[tuple[IPAddress, bytes], ...]:
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
        self._wake = asyncio.Event()
        self._view_wanted = False
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
        self._wake.set()

    def adverts_readable(self) -> None:
        """Take the adverts that wait, for the next turn: left where they are, they would wake the event
        loop once more for nothing. In a flood the rest stays in the kernel, which drops what is too much.
        """
        if len(self._inbox) < EVENTS_PER_WAKE:
            self._drain_adverts()
        self._wake.set()

    def wire_readable(self) -> None:
        """The same for frames."""
        if len(self._inbox) < EVENTS_PER_WAKE:
            self._inbox.extend(self._ports.wire.drain())
        self._wake.set()

    def channels_readable(self) -> None:
        """The same for the answers of servers and gateway."""
        if len(self._inbox) < EVENTS_PER_WAKE:
            self._inbox.extend(self._ports.channels.drain())
        self._wake.set()

    def host_changed(self) -> None:
        """Links or addresses changed: read them afresh before the next timer."""
        self._view_wanted = True
        self._wake.set()

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
        """Feed the first event, then go on until the node says `Exit`."""
        await self._feed(first)
        while not self._exited:
            await self._sleep()
            await self._turn()
            if self.on_turn is not None:
                self.on_turn()
        for future in self._replies.values():
            if not future.done():
                future.set_result(Reply(0, True, "the daemon has ended"))

    async def _sleep(self) -> None:
        if self._wake.is_set():
            await asyncio.sleep(0)  # a flood must not keep signals and the control socket waiting
            return
        self._arm(self.node.deadline())
        await self._wake.wait()

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
        self._wake.set()

    async def _turn(self) -> None:
        self._wake.clear()
        due = self._due()
        if due:
            # What came since the sockets were found readable is heard before the tick.
            self._drain_adverts()
            self._inbox.extend(self._ports.wire.drain())
            self._inbox.extend(self._ports.channels.drain())
        for _ in range(len(self._inbox) if due else min(len(self._inbox), EVENTS_PER_WAKE)):
            await self._feed(self._inbox.popleft())
            if self._exited:
                return
        if self._inbox:
            self._wake.set()
        if self._view_wanted:
            self._view_wanted = False
            await self._feed(HostObserved(await self._ports.addresses.view()))
        deadline = self.node.deadline()
        now = self._ports.clock()
        if due and deadline is not None and now >= deadline and not self._exited:
            self.lateness = max(self.lateness, now - deadline)
            await self._feed(Tick())

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

    async def _feed(self, event: Event) -> None:
        pending = deque([event])
        told: list[tuple[Instant, Action]] = []
        while pending:
            current = pending.popleft()
            now = self._ports.clock()
            self._ports.observer.event(now, current)
            for action in self.node.handle(current, now):
                self._ports.observer.action(now, action)
                if isinstance(action, TOLD_LAST):
                    told.append((now, action))
                    continue
                result = await self._carry_out(action)
                if result is not None:
                    pending.append(result)
        for at, action in told:
            self._tell(action, at)

    async def _carry_out(self, action: Action) -> Event | None:
        match action:
            case SendAdvert():
                data = encode(action.advert, self.keys[0])
                self._ports.adverts.send(data, action.to)
                if action.advert.role is Role.HOLDER and self._ports.lease is not None:
                    self._ports.lease.renew()
            case ChangeAddresses():
                outcome, started, finished, detail = await self._ports.addresses.change(
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
                return NeighboursRead(await self._ports.addresses.neighbours())
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
