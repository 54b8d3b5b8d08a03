"""Carries out the schedule of faults: what each kind does to the world, and how it ends."""

from __future__ import annotations

import dataclasses

from vipkeeper.core.events import Commanded, Verb
from vipkeeper.core.facts import (
    ApiChanged,
    ApiState,
    ClockChanged,
    Disturber,
    DisturberChanged,
    FaultInjected,
    FaultKind,
    Healed,
    HostChanged,
    WallClockStepped,
    WireChanged,
)
from vipkeeper.core.node import Node
from vipkeeper.core.types import MILLISECOND, Duration, Record
from vipkeeper.sim.clock import TRUE_RATE
from vipkeeper.sim.faults import Fault
from vipkeeper.sim.server import TICK_JITTER, SimServer
from vipkeeper.sim.wire import BASE_DELAY, JITTER, Trouble, combined
from vipkeeper.sim.world import World
from vipkeeper.wire.types import Heard, Rejection, Role

Pair = tuple[int, int]
TROUBLES = frozenset({
    FaultKind.LOSS, FaultKind.BURSTS, FaultKind.DELAY, FaultKind.DUPLICATION, FaultKind.REORDERING,
    FaultKind.CORRUPTION, FaultKind.CUT, FaultKind.TX_CUT, FaultKind.RX_CUT, FaultKind.SILENT_PORT,
    FaultKind.PARTITION,
})  # fmt: skip
APIS = {
    FaultKind.API_UNREADY: ApiState.UNREADY,
    FaultKind.API_HANGS: ApiState.HANGING,
    FaultKind.API_FROZEN: ApiState.FROZEN,
    FaultKind.API_REFUSES: ApiState.REFUSING,
}
VERBS = {
    FaultKind.SHUTDOWN: Verb.SHUTDOWN,
    FaultKind.HANDOVER: Verb.HANDOVER,
    FaultKind.RELEASE: Verb.RELEASE,
    FaultKind.STANDBY: Verb.STANDBY_ON,
}
USUAL: Duration = BASE_DELAY + JITTER
"""The most that a packet takes while nothing is wrong."""
REPLAY_EVERY = 90 * MILLISECOND
START_AGAIN = 100 * MILLISECOND
"""How often it is looked whether a daemon that was told to stop has ended."""


class Injector:
    """Begins and ends faults. `injected` counts what was begun."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.injected = 0
        self._troubles: dict[int, tuple[tuple[Pair, ...], Trouble]] = {}
        self._apis: dict[int, tuple[tuple[int, ...], ApiState]] = {}
        self._told: dict[Pair, WireChanged] = {}
        self._active: dict[int, Fault] = {}
        self._replays: dict[int, int] = {}
        self._stopping: dict[int, Node | None] = {}
        """The daemon that was told to stop, by the number of the fault."""
        self._request = 0
        for number, fault in enumerate(world.plan.faults):
            world.at(fault.at, self._begin, (number, fault))

    def heal(self) -> None:
        """End everything that lasts; the dead stay dead."""
        for number in list(self._active):
            self._end(number)
        self.world.fact(Healed())

    def _begin(self, entry: tuple[int, Fault]) -> None:
        number, fault = entry
        self.injected += 1
        self._tell(fault, began=True)
        self._active[number] = fault
        self._act(number, fault, begins=True)
        if fault.duration:
            self.world.at(self.world.now + fault.duration, self._end, number)

    def _end(self, number: int) -> None:
        fault = self._active.pop(number, None)
        if fault is None or (not fault.duration):
            return
        self._tell(fault, began=False)
        self._act(number, fault, begins=False)

    def _tell(self, fault: Fault, *, began: bool) -> None:
        name = self.world.plan.names[fault.server] if fault.server is not None else None
        self.world.fact(FaultInjected(fault.kind, name, began, fault.text(self.world.plan.names)))

    def _act(self, number: int, fault: Fault, *, begins: bool) -> None:
        kind = fault.kind
        if kind in TROUBLES:
            self._trouble(number, fault, begins=begins)
        elif kind in APIS:
            assert fault.server is not None
            self._api(number, (fault.server,), APIS[kind], begins=begins)
        elif kind is FaultKind.ALL_UNREADY:
            everyone = tuple(range(len(self.world.servers)))
            self._api(number, everyone, ApiState.UNREADY, begins=begins)
        elif kind in (FaultKind.GATEWAY_DOWN, FaultKind.STRANGER):
            self._network(number, kind, begins=begins)
        else:
            assert fault.server is not None
            self._on_server(number, fault, self.world.servers[fault.server], begins=begins)

    # Wires

    def _trouble(self, number: int, fault: Fault, *, begins: bool) -> None:
        if begins:
            self._troubles[number] = (self._pairs(fault), _trouble(fault))
            pairs = self._troubles[number][0]
        else:
            pairs = self._troubles.pop(number)[0]
        for pair in pairs:
            source, target = pair
            wire = self.world.wires[source][target]
            found = [trouble for where, trouble in self._troubles.values() if pair in where]
            wire.set(combined(found))
            self._tell_wire(pair)
        self.world.client.look(self.world.now)

    def _tell_wire(self, pair: Pair) -> None:
        """Say what is wrong with a wire where that is news, and again when what is on its way has arrived."""
        world = self.world
        source, target = pair
        if max(pair) >= len(world.ends):
            return
        wire = world.wires[source][target]
        longest, bursts = wire.longest(world.now), bool(wire.trouble.burst_lost)
        fact = WireChanged(world.ends[source], world.ends[target], wire.lost, longest, bursts)
        if fact == self._told.get(pair, WireChanged(fact.source, fact.target, 0, USUAL, False)):
            return
        self._told[pair] = fact
        world.fact(fact)
        if longest > wire.longest(world.now + longest):
            world.at(world.now + longest, self._tell_wire, pair)

    def _pairs(self, fault: Fault) -> tuple[Pair, ...]:
        ends = range(self.world.stranger_end + 1)
        everything = [(a, b) for a in ends for b in ends if a != b]
        match fault.kind:
            case FaultKind.CUT:
                assert fault.server is not None
                assert fault.other is not None
                return ((fault.server, fault.other),)
            case FaultKind.TX_CUT:
                return tuple(p for p in everything if p[0] == fault.server)
            case FaultKind.RX_CUT:
                return tuple(p for p in everything if p[1] == fault.server)
            case FaultKind.PARTITION:
                return tuple(
                    p for p in everything if self._side(fault, p[0]) != self._side(fault, p[1])
                )
            case _ if fault.server is not None:
                return tuple(p for p in everything if fault.server in p)
            case _:
                return tuple(everything)

    def _side(self, fault: Fault, end: int) -> bool:
        """Servers by their bit; the client by the one after them, gateway and stranger with it."""
        return bool(fault.amount >> min(end, self.world.gateway) & 1)

    # API servers

    def _api(self, number: int, servers: tuple[int, ...], state: ApiState, *, begins: bool) -> None:
        if begins:
            self._apis[number] = (servers, state)
        else:
            del self._apis[number]
        for index in servers:
            found = [state for where, state in self._apis.values() if index in where]
            worst = max(found, key=list(ApiState).index, default=ApiState.READY)
            server = self.world.servers[index]
            if worst is not server.prober.api:
                server.prober.api_changed(worst)
                self.world.fact(ApiChanged(server.name, worst))

    # The network

    def _network(self, number: int, kind: FaultKind, *, begins: bool) -> None:
        world = self.world
        step = 1 if begins else -1
        if kind is FaultKind.GATEWAY_DOWN:
            world.gateway_down += step
            count, disturber = world.gateway_down, Disturber.GATEWAY_DOWN
        else:
            world.strangers += step
            count, disturber = world.strangers, Disturber.STRANGER
            if begins:
                world.stranger_announces()
            world.client.look(world.now)
        if count == (1 if begins else 0):
            world.fact(DisturberChanged(disturber, None, begins))

    def _replay(self, number: int) -> None:
        """Adverts of an earlier run, and such as a server of long ago might have sent."""
        fault = self._active.get(number)
        world = self.world
        if fault is None or fault.server is None:
            return
        victim = world.servers[fault.server]
        captured = list(world.old_adverts[victim.index])
        last = world.last_advert[victim.index]
        if last is not None:
            template, key = last
            rng = world.rng
            invented = dataclasses.replace(
                template,
                boot_id=number + 1,
                counter=rng.randrange(1, 10**6),
                epoch=template.epoch + rng.randrange(3),
                role=rng.choice(tuple(Role)),
                successor=None,
                heard=tuple(Heard(number + 1, 0) for _ in template.heard),
            )
            captured += [(invented, key), last]
        for other in world.servers:
            if other is not victim and captured:
                advert, key = world.rng.choice(captured)
                if key == other.key:
                    packet = (victim.address, advert)
                    world.carry(world.gateway, other.index, other.advert_arrives, packet)
                else:
                    refused = (victim.address, Rejection.WRONG_KEY)
                    world.carry(world.gateway, other.index, other.rejected_arrives, refused)
        world.at(world.now + REPLAY_EVERY, self._replay, number)

    # Servers

    def _on_server(self, number: int, fault: Fault, server: SimServer, *, begins: bool) -> None:
        world = self.world
        match fault.kind:
            case FaultKind.POWER_OFF:
                (server.power_off if begins else server.power_on)()
            case FaultKind.KILL if begins:
                server.kill()
            case FaultKind.KILL | FaultKind.SHUTDOWN if not begins:
                self._start((server, fault.amount, self._stopping.pop(number, None)))
            case FaultKind.STALL:
                server.stall(begins)
            case FaultKind.STUN:
                self._stun(server, fault.amount, begins=begins)
            case FaultKind.LINK_DOWN:
                server.link(begins)
            case FaultKind.PROBER_LOST:
                server.prober.lost(begins)
            case FaultKind.CLOCK_RATE:
                rate = fault.amount if begins else TRUE_RATE
                server.set_rate(rate)
                world.fact(ClockChanged(server.name, rate))
            case FaultKind.WALL_STEP:
                world.fact(WallClockStepped(server.name, fault.amount))
            case FaultKind.ADDRESS_DELETED:
                if server.kernel.has_vip:
                    server.kernel.vip_until = None
                    server.address_changed()
            case FaultKind.FABRIC | FaultKind.WRONG_KEY | FaultKind.REPLAY:
                self._deceive(number, fault.kind, server, begins=begins)
            case FaultKind.KERNEL_SLOW | FaultKind.KERNEL_REFUSES | FaultKind.TIMERS_LATE:
                self._hinder(number, fault, server, begins=begins)
            case _:
                if fault.kind is FaultKind.SHUTDOWN:
                    self._stopping[number] = server.node
                self._command(server, VERBS[fault.kind] if begins else Verb.STANDBY_OFF)

    def _start(self, wanted: tuple[SimServer, int, Node | None]) -> None:
        """Start the daemon once the one that was told to stop has ended, as systemd does."""
        server, amount, stopping = wanted
        if stopping is not None and server.node is stopping:
            self.world.at(self.world.now + START_AGAIN, self._start, wanted)
        else:
            server.start(_record(server, amount))

    def _hinder(self, number: int, fault: Fault, server: SimServer, *, begins: bool) -> None:
        """The kernel treats the daemon badly."""
        if fault.kind is FaultKind.KERNEL_REFUSES:
            server.refusals += 1 if begins else -1
        else:
            table = server.slow if fault.kind is FaultKind.KERNEL_SLOW else server.late
            if begins:
                table[number] = fault.amount
            else:
                del table[number]
        late = max([TICK_JITTER, *server.late.values(), *server.slow.values()])
        self.world.fact(HostChanged(server.name, late, server.refusals > 0))

    def _deceive(self, number: int, kind: FaultKind, server: SimServer, *, begins: bool) -> None:
        """Somebody says what is not so."""
        world = self.world
        on = begins
        match kind:
            case FaultKind.FABRIC:
                _count(world.fabric, server.index, begins=begins)
                disturber, on = Disturber.FABRIC, server.index in world.fabric
            case FaultKind.WRONG_KEY:
                server.key += 1 + number if begins else -1 - number
                disturber, on = Disturber.WRONG_KEY, server.key != 0
            case _:
                _count(self._replays, server.index, begins=begins)
                disturber, on = Disturber.REPLAY, server.index in self._replays
                if begins:
                    self._replay(number)
        world.fact(DisturberChanged(disturber, server.name, on))

    def _command(self, server: SimServer, verb: Verb) -> None:
        self._request += 1
        server.post(Commanded(self._request, verb))

    def _stun(self, server: SimServer, wakes_after: int, *, begins: bool) -> None:
        """The daemon runs a little later than its kernel."""
        if not begins and wakes_after:
            server.stall(True)
            self.world.at(self.world.now + wakes_after, server.stall, False)
        server.stun(begins)


def _trouble(fault: Fault) -> Trouble:
    """What this kind does to a packet."""
    amount = fault.amount
    match fault.kind:
        case FaultKind.LOSS:
            return Trouble(lost=amount)
        case FaultKind.BURSTS:
            return Trouble(burst_lost=900, burst_enters=amount, burst_leaves=100)
        case FaultKind.DELAY:
            return Trouble(delay=amount)
        case FaultKind.DUPLICATION:
            return Trouble(doubled=amount)
        case FaultKind.REORDERING:
            return Trouble(overtaken=amount)
        case FaultKind.CORRUPTION:
            return Trouble(corrupted=amount)
        case _:
            return Trouble(cut=True)


def _count(table: dict[int, int], key: int, *, begins: bool) -> None:
    table[key] = table.get(key, 0) + (1 if begins else -1)
    if not table[key]:
        del table[key]


def _record(server: SimServer, fate: int) -> Record | None:
    """What the daemon finds in /run: the last record, none, or an older one."""
    return (server.record, None, server.old_record)[fate]
