"""A small world in virtual time for tests of the core: real nodes, an imagined kernel and network.

One heap of (time, sequence, call), integer nanoseconds, no randomness. Only what the tests need:
the fault simulator of the project is a separate thing.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

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
    State,
    Transition,
)
from vipkeeper.core.events import (
    AddressesDone,
    AddressOutcome,
    AdvertReceived,
    Channel,
    CheckName,
    Commanded,
    Event,
    GatewayAnswered,
    HealthSampled,
    HostObserved,
    Outcome,
    ServerAnswered,
    Sign,
    Started,
    Tick,
    Verb,
    VipAnswered,
)
from vipkeeper.core.node import Node
from vipkeeper.core.transitions import allowed
from vipkeeper.core.types import (
    MILLISECOND,
    SECOND,
    AddressState,
    HostView,
    Instant,
    Record,
    Server,
    Settings,
    VipView,
)

VIP = IPv4Address("10.10.10.100")
DELAY = 200_000
KERNEL = 300_000
START: Instant = 1_000 * SECOND


def settings(own: int = 0, count: int = 3, **changes: object) -> Settings:
    """Settings of `count` servers cp1.. as server number `own` sees them."""
    servers = tuple(Server(f"cp{i + 1}", IPv4Address(f"10.10.10.{11 + i}")) for i in range(count))
    base = Settings(vips=(VIP,), servers=servers, own=own, cluster=b"digest01")
    return replace(base, **changes)  # type: ignore[arg-type]


@dataclass
class Host:
    """One server: its node (None: daemon dead), its kernel and everything its node ever asked for."""

    index: int
    settings: Settings
    node: Node | None = None
    frozen: bool = False
    powered: bool = True
    lease_until: Instant | None = None
    record: Record | None = None
    actions: list[tuple[Instant, Action]] = field(default_factory=list)
    waiting: list[Event] = field(default_factory=list)
    boots: int = 0
    exited: bool = False

    def has_vip(self, now: Instant) -> bool:
        return self.powered and self.lease_until is not None and now < self.lease_until

    def view(
        self, now: Instant, *, link: bool = True, gateway: IPv4Address | None = None
    ) -> HostView:
        state = AddressState.LEASED if self.has_vip(now) else AddressState.ABSENT
        return HostView(now, "eth0", link, True, (VipView(VIP, state),), gateway)


class Cluster:
    """The world. `cut` holds (from, to) pairs of server indices whose wire loses everything."""

    def __init__(self, count: int = 3, **changes: object) -> None:
        self.now: Instant = START
        self.hosts = [Host(i, settings(i, count, **changes)) for i in range(count)]
        self.cut: set[tuple[int, int]] = set()
        self.adverts_cut: set[tuple[int, int]] = set()
        """The same for adverts alone; probes and their answers pass."""
        self.arp_only: set[int] = set()
        """Servers whose MAC a fabric keeps answering ARP for, dead or not."""
        self.gateway: IPv4Address | None = None
        """A router that every server's host has a route to; None: there is none."""
        self.gateway_cut: set[int] = set()
        """Servers that get no answer from the gateway."""
        self.services: set[int] = set()
        """Servers whose API server answers a ClientHello."""
        self.stranger: bytes | None = None
        """MAC of a machine that is no server and answers for the VIP like a living kernel."""
        self._heap: list[tuple[Instant, int, Callable[[], None]]] = []
        self._sequence = 0

    def at(self, when: Instant, call: Callable[[], None]) -> None:
        self._sequence += 1
        heapq.heappush(self._heap, (when, self._sequence, call))

    def run(self, duration: int) -> None:
        """Let the world go on for `duration` nanoseconds."""
        end = self.now + duration
        steps = 0
        while self._heap and self._heap[0][0] <= end:
            self.now, _, call = heapq.heappop(self._heap)
            call()
            steps += 1
            assert steps < 500_000, "the world does not come to rest"
        self.now = end

    def start(self, *indices: int, ready: bool = True) -> None:
        for index in indices or range(len(self.hosts)):
            host = self.hosts[index]
            host.boots += 1
            host.powered, host.frozen = True, False
            host.node = Node(host.settings, boot_id=1000 * (index + 1) + host.boots)
            self.deliver(host, Started(host.view(self.now, gateway=self.gateway), host.record))
            if ready:
                self.sample(index, Outcome.OK)

    def sample(self, index: int, outcome: Outcome, check: CheckName = CheckName.API) -> None:
        self.deliver(self.hosts[index], HealthSampled(check, outcome))

    def refuse(self, index: int) -> None:
        """The API server is gone: two refusals, 50 ms apart."""
        self.sample(index, Outcome.HARD)
        self.run(50 * MILLISECOND)
        self.sample(index, Outcome.HARD)

    def kill_daemon(self, index: int) -> None:
        self.hosts[index].node = None

    def power_off(self, index: int) -> None:
        host = self.hosts[index]
        host.node, host.powered, host.lease_until, host.record = None, False, None, None

    def thaw(self, index: int) -> None:
        """SIGCONT: packets that waited are read before timers run."""
        host = self.hosts[index]
        host.frozen = False
        waiting, host.waiting = host.waiting, []
        for event in waiting:
            self.deliver(host, event)
        self.deliver(host, Tick())

    def command(
        self, index: int, verb: Verb, to: str | None = None, *, force: bool = False
    ) -> None:
        self.deliver(self.hosts[index], Commanded(7, verb, to, force))

    def observe(self, index: int, *, link: bool = True) -> None:
        host = self.hosts[index]
        self.deliver(host, HostObserved(host.view(self.now, link=link, gateway=self.gateway)))

    def deliver(self, host: Host, event: Event) -> None:
        if host.node is None:
            return
        if host.frozen:
            host.waiting.append(event)
            return
        for action in host.node.handle(event, self.now):
            host.actions.append((self.now, action))
            if isinstance(action, Transition):
                known = allowed(action.before, action.after, action.cause)
                assert known, f"not in core.transitions: {action}"
            self._carry_out(host, action)
        self._arm(host)

    def _arm(self, host: Host) -> None:
        node = host.node
        deadline = node.deadline() if node is not None else None
        if node is None or deadline is None:
            return

        def wake() -> None:
            if host.node is node and node.deadline() == deadline and not host.frozen:
                self.deliver(host, Tick())

        self.at(max(deadline, self.now), wake)

    def _carry_out(self, host: Host, action: Action) -> None:
        match action:
            case SendAdvert():
                self._send(host, action)
            case ChangeAddresses():
                self._change(host, action)
            case ProbeVips():
                self._probe(host)
            case ProbeServer():
                self._probe_server(host, action)
            case ProbeGateway():
                if self.gateway is not None and host.index not in self.gateway_cut:
                    self.at(self.now + DELAY, lambda: self.deliver(host, GatewayAnswered()))
            case SaveRecord():
                host.record = action.record
            case Exit():
                host.exited = True
                host.node = None
            case ReadNeighbours() | Announce() | Transition() | Alarm() | Reply():
                pass

    def _send(self, host: Host, action: SendAdvert) -> None:
        source = host.settings.servers[host.index].address
        for other in self.hosts:
            wanted = other.settings.servers[other.index].address in action.to
            lost = (host.index, other.index) in self.cut | self.adverts_cut
            if other is host or not wanted or lost:
                continue
            at = self.now + DELAY
            event = AdvertReceived(source, action.advert, at)
            self.at(at, lambda o=other, e=event: self.deliver(o, e))  # type: ignore[misc]

    def _change(self, host: Host, action: ChangeAddresses) -> None:
        started, finished = self.now, self.now + KERNEL
        outcome = AddressOutcome.DONE
        if action.not_after is not None and finished >= action.not_after:
            outcome, host.lease_until = AddressOutcome.LAPSED, None
        elif action.operation is AddressOperation.REMOVE:
            host.lease_until = None
        else:
            host.lease_until = started + action.lifetime
        result = AddressesDone(action.id, outcome, started, finished)
        self.at(finished, lambda: self.deliver(host, result))

    def _probe(self, host: Host) -> None:
        if self.stranger is not None:
            for channel in Channel:
                answer = VipAnswered(VIP, self.stranger, channel)
                self.at(self.now + DELAY, lambda e=answer: self.deliver(host, e))  # type: ignore[misc]
        for other in self.hosts:
            both_ways = {(host.index, other.index), (other.index, host.index)}
            if other is host or both_ways & self.cut:
                continue
            mac = bytes([2, 0, 0, 0, 0, other.index])
            if other.has_vip(self.now) or other.index in self.arp_only:
                arp = VipAnswered(VIP, mac, Channel.ARP)
                self.at(self.now + DELAY, lambda e=arp: self.deliver(host, e))  # type: ignore[misc]
            if other.has_vip(self.now):
                echo = VipAnswered(VIP, mac, Channel.ECHO)
                self.at(self.now + 2 * DELAY, lambda e=echo: self.deliver(host, e))  # type: ignore[misc]

    def _probe_server(self, host: Host, action: ProbeServer) -> None:
        other = self.hosts[action.server]
        both_ways = {(host.index, other.index), (other.index, host.index)}
        if not other.powered or both_ways & self.cut:
            return
        kernel = ServerAnswered(other.index, Sign.KERNEL)
        self.at(self.now + DELAY, lambda: self.deliver(host, kernel))
        if action.service and other.index in self.services:
            service = ServerAnswered(other.index, Sign.SERVICE)
            self.at(self.now + 2 * DELAY, lambda: self.deliver(host, service))

    def holders(self) -> list[str]:
        """Servers whose kernel has the VIP."""
        return [f"cp{h.index + 1}" for h in self.hosts if h.has_vip(self.now)]

    def states(self) -> list[State | None]:
        return [h.node.state if h.node is not None else None for h in self.hosts]

    def sent(self, index: int, kind: type) -> list[tuple[Instant, Action]]:
        return [(t, a) for t, a in self.hosts[index].actions if isinstance(a, kind)]

    def until(self, condition: Callable[[], bool], limit: int) -> int:
        """Run in steps of 1 ms until the condition holds; the time it took. Fails at the limit."""
        begin = self.now
        while not condition():
            assert self.now - begin < limit, f"not within {limit / MILLISECOND:g} ms"
            self.run(MILLISECOND)
        return self.now - begin
