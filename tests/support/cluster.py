"""A small world in virtual time for tests of the core: real nodes, an imagined kernel and network.

One heap of (time, sequence, call), integer nanoseconds, no randomness. Only what the tests and the
scenarios need: the fault simulator of the project is a separate thing.
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
    AdvertRejected,
    Channel,
    CheckName,
    Commanded,
    Event,
    GatewayAnswered,
    HealthSampled,
    HostObserved,
    NeighboursRead,
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
    Duration,
    HostView,
    Instant,
    Record,
    Server,
    Settings,
    VipView,
)
from vipkeeper.wire.types import Advert, IPAddress, Rejection

VIP = IPv4Address("10.10.10.100")
DELAY = 200_000
KERNEL = 300_000
START: Instant = 1_000 * SECOND
PER_MILLION = 1_000_000
KEY = "the key"
"""What all servers share; only whether it differs matters."""


def settings(own: int = 0, count: int = 3, **changes: object) -> Settings:
    """Settings of `count` servers cp1.. as server number `own` sees them."""
    servers = tuple(Server(f"cp{i + 1}", IPv4Address(f"10.10.10.{11 + i}")) for i in range(count))
    base = Settings(vips=(VIP,), servers=servers, own=own, cluster=b"digest01")
    return replace(base, **changes)  # type: ignore[arg-type]


@dataclass
class Clock:
    """A host's CLOCK_BOOTTIME: how it goes against the world's, in millionths; 0 while the machine stands."""

    world: Instant = START
    local: Instant = START
    rate: int = PER_MILLION

    def read(self, now: Instant) -> Instant:
        return self.local + (now - self.world) * self.rate // PER_MILLION

    def when(self, local: Instant) -> Instant | None:
        """The world's time at which this clock shows `local`; None: not while it stands."""
        if self.rate == 0:
            return None
        return self.world - (self.local - local) * PER_MILLION // self.rate

    def change(self, now: Instant, rate: int) -> None:
        self.local, self.world, self.rate = self.read(now), now, rate


@dataclass
class Wire:
    """What happens to adverts on the way from one server to another, besides `Cluster.cut`."""

    drop: int = 0
    """This many of the next ones are lost."""
    delay: Duration = 0
    """Later than usual by this much."""
    copies: int = 1


@dataclass
class Host:
    """One server: its node (None: daemon dead), its kernel and everything its node ever asked for."""

    index: int
    settings: Settings
    node: Node | None = None
    frozen: bool = False
    powered: bool = True
    stunned: bool = False
    """The whole machine stands still, its clock with it; what arrives waits."""
    clock: Clock = field(default_factory=Clock)
    lease_until: Instant | None = None
    """End of the lease of all VIPs that are here, by this host's clock."""
    deleted: set[IPAddress] = field(default_factory=set)
    """VIPs that somebody deleted although their lease runs."""
    permanent: bool = False
    """Somebody put the VIPs here for ever."""
    link: bool = True
    own_address: bool = True
    behind_own: bool = True
    """False when the VIP stands before the own address."""
    refuses: set[AddressOperation] = field(default_factory=set)
    """What the kernel refuses."""
    kernel_takes: Duration = KERNEL
    key: str = KEY
    record: Record | None = None
    actions: list[tuple[Instant, Action]] = field(default_factory=list)
    waiting: list[Event] = field(default_factory=list)
    boots: int = 0
    exited: bool = False

    @property
    def name(self) -> str:
        return self.settings.servers[self.index].name

    @property
    def address(self) -> IPAddress:
        return self.settings.servers[self.index].address

    @property
    def online(self) -> bool:
        """Whether adverts leave and arrive."""
        return self.link and self.own_address

    def has(self, vip: IPAddress, now: Instant) -> bool:
        """Whether the kernel has this VIP, `now` being the world's time."""
        leased = self.lease_until is not None and self.clock.read(now) < self.lease_until
        return self.powered and (self.permanent or (leased and vip not in self.deleted))

    def has_vip(self, now: Instant) -> bool:
        return bool(self.has_vips(now))

    def has_vips(self, now: Instant) -> tuple[IPAddress, ...]:
        return tuple(vip for vip in self.settings.vips if self.has(vip, now))

    def answers(self, vip: IPAddress, now: Instant) -> bool:
        return self.has(vip, now) and not self.stunned

    def view(
        self, now: Instant, *, link: bool = True, gateway: IPv4Address | None = None
    ) -> HostView:
        here = AddressState.PERMANENT if self.permanent else AddressState.LEASED
        vips = tuple(
            VipView(vip, here if self.has(vip, now) else AddressState.ABSENT, self.behind_own)
            for vip in self.settings.vips
        )
        up = link and self.link
        detail = "" if up else "interface eth0 is down or has no carrier"
        if up and not self.own_address:
            detail = f"own address {self.address} is not on this host"
        read_at = self.clock.read(now)
        return HostView(read_at, "eth0", up, self.own_address, vips, gateway, detail)


def mac(host: Host) -> bytes:
    """The address of a host's network card."""
    return bytes([2, 0, 0, 0, 0, host.index])


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
        self.neighbours_known = False
        """Whether each kernel's neighbour table has the MACs of all servers; False: it says nothing."""
        self.wires: dict[tuple[int, int], Wire] = {}
        """What else is wrong between two servers, by (from, to)."""
        self.captured: dict[tuple[int, int], Advert] = {}
        """The last advert on each wire, for a replay."""
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

    def next_at(self) -> Instant | None:
        """When the next thing happens."""
        return self._heap[0][0] if self._heap else None

    def start(self, *indices: int, ready: bool = True) -> None:
        for index in indices or range(len(self.hosts)):
            host = self.hosts[index]
            host.boots += 1
            host.powered, host.frozen = True, False
            host.node = Node(host.settings, boot_id=1000 * (index + 1) + host.boots)
            if host.stunned:
                self.resume(index)
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
        host.waiting.clear()
        self.kernel_changed(host, "power lost")

    def thaw(self, index: int) -> None:
        """SIGCONT: packets that waited are read before timers run."""
        host = self.hosts[index]
        host.frozen = False
        self._catch_up(host)

    def stun(self, index: int) -> None:
        """The machine stands still: daemon, kernel and clock."""
        self.hosts[index].stunned = True
        self.set_clock(index, 0)

    def resume(self, index: int) -> None:
        """It goes on; what its network card kept is read before timers run."""
        self.hosts[index].stunned = False
        self.set_clock(index, PER_MILLION)
        self._catch_up(self.hosts[index])

    def set_clock(self, index: int, rate: int) -> None:
        """Let a host's clock go at this many millionths of the world's from now on."""
        host = self.hosts[index]
        host.clock.change(self.now, rate)
        self._arm(host)
        self._watch_lease(host)

    def _catch_up(self, host: Host) -> None:
        waiting, host.waiting = host.waiting, []
        now = host.clock.read(self.now)
        for event in waiting:
            late = event.read_at(now) if isinstance(event, AdvertReceived) else event
            self.deliver(host, late)
        self.deliver(host, Tick())

    def kernel_changed(self, host: Host, why: str) -> None:
        """VIPs came or went on a host; `why` they went. For those who watch."""

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
        if host.frozen or host.stunned:
            host.waiting.append(event)
            return
        for action in host.node.handle(event, host.clock.read(self.now)):
            host.actions.append((self.now, action))
            if isinstance(action, Transition):
                known = allowed(action.before, action.after, action.cause)
                assert known, f"not in core.transitions: {action}"
            self._carry_out(host, action)
        self._arm(host)

    def _arm(self, host: Host) -> None:
        node = host.node
        deadline = node.deadline() if node is not None else None
        when = host.clock.when(deadline) if deadline is not None else None
        if node is None or when is None:
            return

        def wake() -> None:
            if host.node is not node or node.deadline() != deadline or host.frozen:
                return
            if deadline is not None and host.clock.read(self.now) < deadline:
                return
            self.deliver(host, Tick())

        self.at(max(when, self.now), wake)

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
                if self.gateway is not None and host.index not in self.gateway_cut and host.link:
                    self._answer(host, GatewayAnswered(), DELAY)
            case ReadNeighbours() if self.neighbours_known:
                others = (h for h in self.hosts if h is not host)
                macs = tuple((other.address, mac(other)) for other in others)
                self._answer(host, NeighboursRead(macs), KERNEL)
            case SaveRecord():
                host.record = action.record
            case Exit():
                host.exited = True
                host.node = None
            case ReadNeighbours() | Announce() | Transition() | Alarm() | Reply():
                pass

    def _answer(self, host: Host, event: Event, after: Duration) -> None:
        """Deliver the answer to what a node asked, to that run of the daemon only."""
        node = host.node

        def arrive() -> None:
            if host.node is node:
                self.deliver(host, event)

        self.at(self.now + after, arrive)

    def connected(self, a: Host, b: Host) -> bool:
        """Whether a question and its answer get through between two hosts that live."""
        cut = {(a.index, b.index), (b.index, a.index)} & self.cut
        return not cut and all(h.powered and h.link and not h.stunned for h in (a, b))

    def _send(self, host: Host, action: SendAdvert) -> None:
        for other in self.hosts:
            pair = (host.index, other.index)
            if other is host or other.address not in action.to:
                continue
            self.captured[pair] = action.advert
            wire = self.wires.get(pair, Wire())
            if wire.drop > 0:
                wire.drop -= 1
            elif pair not in self.cut | self.adverts_cut and host.online and other.online:
                for _ in range(wire.copies):
                    self.transmit(host, other, action.advert, DELAY + wire.delay)

    def transmit(self, source: Host, other: Host, advert: Advert, after: Duration) -> None:
        """Let an advert arrive, refused where the keys differ. The kernel stamps when it came."""
        fits = source.key == other.key

        def arrive() -> None:
            received = other.clock.read(self.now)
            if fits:
                self.deliver(other, AdvertReceived(source.address, advert, received))
            else:
                self.deliver(other, AdvertRejected(source.address, Rejection.WRONG_KEY))

        self.at(self.now + after, arrive)

    def _change(self, host: Host, action: ChangeAddresses) -> None:
        started = host.clock.read(self.now)
        finished = started + host.kernel_takes
        outcome, detail, operation = AddressOutcome.DONE, "", action.operation
        had = host.has_vips(self.now)
        if action.not_after is not None and finished >= action.not_after:
            outcome = AddressOutcome.LAPSED
        elif operation in host.refuses:
            outcome, detail = AddressOutcome.FAILED, "Operation not permitted"
        elif operation is AddressOperation.REMOVE:
            host.lease_until = None
        else:
            host.lease_until = started + action.lifetime
            host.deleted.clear()
            if operation is not AddressOperation.RENEW:
                host.behind_own = True
        if had != host.has_vips(self.now):
            self.kernel_changed(host, "removed")
        self._watch_lease(host)
        result = AddressesDone(action.id, outcome, started, finished, detail)
        self._answer(host, result, host.kernel_takes)

    def _watch_lease(self, host: Host) -> None:
        until = host.lease_until
        when = host.clock.when(until) if until is not None else None
        if until is None or when is None:
            return

        def lapse() -> None:
            if host.lease_until == until and host.clock.read(self.now) >= until:
                host.lease_until = None
                self.kernel_changed(host, "its lease ran out")

        self.at(max(when, self.now), lapse)

    def _probe(self, host: Host) -> None:
        for vip in host.settings.vips:
            if self.stranger is not None and host.link:
                for channel in Channel:
                    self._answer(host, VipAnswered(vip, self.stranger, channel), DELAY)
            for other in self.hosts:
                reached = other is not host and self.connected(host, other)
                serves = reached and other.answers(vip, self.now)
                fabric = other is not host and other.index in self.arp_only and host.link
                if serves or fabric:
                    self._answer(host, VipAnswered(vip, mac(other), Channel.ARP), DELAY)
                if serves:
                    self._answer(host, VipAnswered(vip, mac(other), Channel.ECHO), 2 * DELAY)

    def _probe_server(self, host: Host, action: ProbeServer) -> None:
        other = self.hosts[action.server]
        if not self.connected(host, other):
            return
        self._answer(host, ServerAnswered(other.index, Sign.KERNEL), DELAY)
        if action.service and other.index in self.services:
            self._answer(host, ServerAnswered(other.index, Sign.SERVICE), 2 * DELAY)

    def holders(self) -> list[str]:
        """Servers whose kernel has the VIP and runs."""
        return [h.name for h in self.hosts if h.has_vip(self.now) and not h.stunned]

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
