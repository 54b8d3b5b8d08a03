"""The world: one heap of calls in virtual time, one random number generator, servers, wires, a client."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from typing import Any

from vipkeeper.core.actions import SendAdvert
from vipkeeper.core.events import (
    ARP,
    ECHO,
    Channel,
    ForeignClaimSeen,
    GatewayAnswered,
    ServerAnswered,
    Sign,
    VipAnswered,
)
from vipkeeper.core.facts import (
    CLIENT,
    GATEWAY,
    ApiState,
    Configured,
    DaemonChanged,
    DaemonState,
    Escaped,
    Fact,
    ServedChanged,
)
from vipkeeper.core.types import MILLISECOND, Instant
from vipkeeper.sim.client import Client
from vipkeeper.sim.faults import VIP, Plan
from vipkeeper.sim.server import SimServer
from vipkeeper.sim.wire import Wire
from vipkeeper.wire.advert import decode, encode
from vipkeeper.wire.types import Advert, IPAddress, Rejection

GATEWAY_ADDRESS = IPv4Address("10.10.10.1")
STRANGER_MAC = b"\x02\xff\xff\xff\xff\xff"
START_SPREAD = 500 * MILLISECOND
"""The servers of a cluster start within this."""
KEYS = (b"the key of the simulated cluster.",)
OLD_ADVERTS = 4
SHAKES_HANDS = (ApiState.READY, ApiState.UNREADY, ApiState.HANGING)
"""What an API server does that answers a ClientHello."""
CORRUPTIONS = (
    Rejection.TOO_SHORT, Rejection.BAD_MAGIC, Rejection.BAD_LENGTH, Rejection.WRONG_KEY,
)  # fmt: skip

FactWatch = Callable[[Instant, Fact], None]
TurnWatch = Callable[[Instant, Instant, str, Any, Sequence[Any]], None]


class World:
    """Times are nanoseconds from the start of the run. Ends: servers 0..n-1, gateway, client, stranger."""

    def __init__(
        self, plan: Plan, facts: FactWatch | None = None, watch: TurnWatch | None = None
    ) -> None:
        """`facts` and `watch` are told everything that happens: facts, and turns of nodes."""
        self.plan = plan
        self.now: Instant = 0
        self.rng = random.Random(plan.noise)
        self.random = self.rng.random
        self.turns = 0
        """Events handled by nodes."""
        self.calls = 0
        """Entries of the heap that were due."""
        self.escapes = 0
        self.watch = watch
        self._facts = facts
        self._heap: list[tuple[Instant, int, Callable[[Any], None], Any]] = []
        self._sequence = 0
        n = len(plan.settings)
        self.gateway, self.client_end, self.stranger_end = n, n + 1, n + 2
        self.wires = [[Wire() for _ in range(n + 3)] for _ in range(n + 3)]
        self.ends = (*plan.names, GATEWAY, CLIENT)
        self.gateway_address: IPAddress | None = GATEWAY_ADDRESS if plan.gateway else None
        self.gateway_down = self.strangers = 0
        self.fabric: dict[int, int] = {}
        """Servers for which the fabric answers ARP, and by how many faults."""
        self.servers = [SimServer(self, i, settings) for i, settings in enumerate(plan.settings)]
        self._index = {server.address: server.index for server in self.servers}
        self._others = [[s for s in self.servers if s is not one] for one in self.servers]
        self._routes = [
            [(self.wires[i][s.index], s, s.advert_arrives) for s in others]
            for i, others in enumerate(self._others)
        ]
        """For each server: wire to each other one, the server, and what takes an advert there."""
        self.old_adverts: list[list[tuple[Advert, int]]] = [[] for _ in self.servers]
        """The last advert of each earlier run of a server, with the key it was signed with."""
        self.last_advert: list[tuple[Advert, int] | None] = [None] * n
        self.client = Client(self.rng, self.at, self._serves, self._resolve, self._served)
        for server in self.servers:
            self.fact(Configured(server.name, server.settings))
            self.fact(DaemonChanged(server.name, DaemonState.STOPPED))
            self.at(self.rng.randrange(START_SPREAD), server.start, None)
        self.client.look(0)

    def at(self, when: Instant, call: Callable[[Any], None], argument: object) -> None:
        """Call it then."""
        self._sequence += 1
        heapq.heappush(self._heap, (when, self._sequence, call, argument))

    def run(self, until: Instant) -> None:
        """Let the world go on to this time."""
        heap, pop = self._heap, heapq.heappop
        calls = 0
        while heap:
            entry = pop(heap)
            if entry[0] > until:
                heapq.heappush(heap, entry)
                break
            self.now, _, call, argument = entry
            call(argument)
            calls += 1
        self.calls += calls
        self.now = until

    def fact(self, fact: Fact) -> None:
        """Tell it."""
        if self._facts is not None:
            self._facts(self.now, fact)

    def escaped(self, fact: Escaped) -> None:
        """An exception left a node."""
        self.escapes += 1
        self.fact(fact)

    # Packets

    def carry(self, source: int, target: int, call: Callable[[Any], None], packet: Any) -> None:
        """One packet over one wire; a damaged one is dropped by a checksum."""
        wire = self.wires[source][target]
        if wire.clean:
            self._sequence += 1
            at = wire.clean_arrival(self.now, self.random())
            heapq.heappush(self._heap, (at, self._sequence, call, packet))
            return
        for arrival in wire.arrivals(self.now, self.rng):
            if not arrival.corrupted:
                self.at(arrival.at, call, packet)

    def send_adverts(self, sender: SimServer, action: SendAdvert) -> None:
        """One advert to each address."""
        advert = action.advert
        source = sender.index
        last = self.last_advert[source]
        if last is not None and last[0].boot_id != advert.boot_id:
            self.old_adverts[source] = [*self.old_adverts[source], last][-OLD_ADVERTS:]
        self.last_advert[source] = (advert, sender.key)
        data = encode(advert, KEYS[0]) if self.plan.encoded else None
        packet = (sender.address, advert)
        heap, now, key, routes = self._heap, self.now, sender.key, self._routes[source]
        if len(action.to) < len(routes):
            to = [self._index[address] for address in action.to]
            routes = [route for index in to for route in routes if route[1].index == index]
        for wire, target, arrives in routes:
            if data is not None:
                self._send_bytes(sender, target, data)
            elif wire.clean and key == target.key:
                self._sequence += 1
                at = wire.clean_arrival(now, self.random())
                heapq.heappush(heap, (at, self._sequence, arrives, packet))
            else:
                self._send_troubled(sender, target, packet)

    def _send_troubled(
        self, sender: SimServer, target: SimServer, packet: tuple[IPAddress, Advert]
    ) -> None:
        for arrival in self.wires[sender.index][target.index].arrivals(self.now, self.rng):
            if arrival.corrupted:
                reason = self.rng.choice(CORRUPTIONS)
                self.at(arrival.at, target.rejected_arrives, (packet[0], reason))
            elif sender.key != target.key:
                rejected = (packet[0], Rejection.WRONG_KEY)
                self.at(arrival.at, target.rejected_arrives, rejected)
            else:
                self.at(arrival.at, target.advert_arrives, packet)

    def _send_bytes(self, sender: SimServer, target: SimServer, data: bytes) -> None:
        """The slow mode: what arrives is decoded from the bytes that were sent."""
        for arrival in self.wires[sender.index][target.index].arrivals(self.now, self.rng):
            received = data
            if arrival.corrupted:
                place = self.rng.randrange(len(data))
                flipped = data[place] ^ (1 << self.rng.randrange(8))
                received = data[:place] + bytes([flipped]) + data[place + 1 :]
            keys = KEYS if sender.key == target.key else (b"another key of another cluster...",)
            advert = decode(received, keys)
            if isinstance(advert, Advert):
                self.at(arrival.at, target.advert_arrives, (sender.address, advert))
            else:
                self.at(arrival.at, target.rejected_arrives, (sender.address, advert))

    # Questions and answers

    def probe_vip(self, asker: SimServer) -> None:
        """Broadcast ARP for the VIP: every machine that has it answers, and the fabric for the dead."""
        if not asker.up:
            return
        for other in self._others[asker.index]:
            self.carry(asker.index, other.index, self._arp_asked, (asker, other))
        if self.strangers:
            self._stranger_answers(asker, ARP)
        for index in self.fabric:
            if index != asker.index:
                answer = VipAnswered(VIP, self.servers[index].mac, ARP)
                self.carry(self.gateway, asker.index, asker.frame_arrives, answer)

    def _arp_asked(self, question: tuple[SimServer, SimServer]) -> None:
        asker, asked = question
        if asked.answers:
            answer = VipAnswered(VIP, asked.mac, ARP)
            self.carry(asked.index, asker.index, asker.frame_arrives, answer)

    def echo(self, asker: SimServer, mac: bytes) -> None:
        """A unicast echo to the MAC that answered."""
        if mac == STRANGER_MAC:
            if self.strangers:
                self._stranger_answers(asker, ECHO)
            return
        other = self.servers[mac[-1] - 1]
        if asker.up:
            self.carry(asker.index, other.index, self._echo_asked, (asker, other))

    def _echo_asked(self, question: tuple[SimServer, SimServer]) -> None:
        asker, asked = question
        if asked.answers:
            answer = VipAnswered(VIP, asked.mac, ECHO)
            self.carry(asked.index, asker.index, asker.frame_arrives, answer)

    def _stranger_answers(self, asker: SimServer, channel: Channel) -> None:
        answer = VipAnswered(VIP, STRANGER_MAC, channel)
        if not self.wires[asker.index][self.stranger_end].trouble.cut:
            self.carry(self.stranger_end, asker.index, asker.frame_arrives, answer)

    def probe_server(self, asker: SimServer, index: int, service: bool) -> None:
        """ARP for a server's own address and, with `service`, a connection to its API server."""
        if not asker.up:
            return
        other = self.servers[index]
        if other is not asker:
            self.carry(asker.index, index, self._server_asked, (asker, other, service))
        if index in self.fabric:
            answer = ServerAnswered(index, Sign.KERNEL)
            self.carry(self.gateway, asker.index, asker.frame_arrives, answer)

    def _server_asked(self, question: tuple[SimServer, SimServer, bool]) -> None:
        asker, asked, service = question
        if not asked.up:
            return
        signs = [Sign.KERNEL]
        if service and asked.prober.api in SHAKES_HANDS:
            signs.append(Sign.SERVICE)
        for sign in signs:
            answer = ServerAnswered(asked.index, sign)
            self.carry(asked.index, asker.index, asker.frame_arrives, answer)

    def probe_gateway(self, asker: SimServer) -> None:
        """ARP for the gateway."""
        if asker.up:
            self.carry(asker.index, self.gateway, self._gateway_asked, asker)

    def _gateway_asked(self, asker: SimServer) -> None:
        if not self.gateway_down:
            self.carry(self.gateway, asker.index, asker.frame_arrives, GatewayAnswered())

    def neighbours(self, asker: SimServer) -> tuple[tuple[IPAddress, bytes], ...]:
        """The neighbour table of a server: everybody it could have heard of."""
        return tuple((s.address, s.mac) for s in self.servers if s is not asker)

    def announce(self, server: SimServer) -> None:
        """Gratuitous ARP to everybody; a packet filter that is shut drops it."""
        if not server.up or server.kernel.filtered(server.clock.local(self.now)):
            return
        self.carry(server.index, self.client_end, self._client_told, server.index)
        claim = ForeignClaimSeen(VIP, server.mac)
        for other in self.servers:
            if other is not server:
                self.carry(server.index, other.index, other.frame_arrives, claim)

    def stranger_announces(self) -> None:
        """The stranger's gratuitous ARP."""
        self.carry(self.stranger_end, self.client_end, self._client_told, self.stranger_end)
        claim = ForeignClaimSeen(VIP, STRANGER_MAC)
        for server in self.servers:
            self.carry(self.stranger_end, server.index, server.frame_arrives, claim)

    # The client

    def _client_told(self, end: int) -> None:
        self.client.announced(end, self.now)

    def _reaches(self, end: int) -> bool:
        there = self.wires[self.client_end][end].trouble.cut
        back = self.wires[end][self.client_end].trouble.cut
        return not there and not back

    def _serves(self, end: int) -> bool:
        return end < self.gateway and self.servers[end].answers and self._reaches(end)

    def _resolve(self) -> int | None:
        found = [s.index for s in self.servers if self._serves(s.index)]
        if self.strangers and self._reaches(self.stranger_end):
            found.append(self.stranger_end)
        return self.rng.choice(found) if found else None

    def _served(self, end: int | None) -> None:
        self.fact(ServedChanged(self.servers[end].name if end is not None else None))
