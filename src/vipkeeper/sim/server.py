"""One simulated server: a machine with a daemon that is a production node under the driver's rules."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from vipkeeper.core.actions import (
    Action,
    Announce,
    ChangeAddresses,
    Exit,
    ProbeGateway,
    ProbeServer,
    ProbeVips,
    ReadNeighbours,
    SaveRecord,
    SendAdvert,
)
from vipkeeper.core.events import (
    ARP,
    AddressesDone,
    AdvertReceived,
    AdvertRejected,
    Event,
    HostObserved,
    NeighboursRead,
    Started,
    Tick,
    VipAnswered,
)
from vipkeeper.core.facts import (
    DaemonChanged,
    DaemonState,
    Escaped,
)
from vipkeeper.core.node import Node
from vipkeeper.core.types import Duration, Instant, Record, Settings
from vipkeeper.sim.machine import Machine
from vipkeeper.sim.prober import Prober
from vipkeeper.wire.types import Advert, IPAddress, Rejection, Role

if TYPE_CHECKING:
    from vipkeeper.sim.world import World

SOCKET_BUFFER = 512
"""Packets that wait for a stalled daemon; more are lost."""
SYSTEM_CALL: Duration = 200_000
TICK_JITTER: Duration = 300_000
TICKS_AT_ONCE = range(64)
TICK = Tick()
TOLD_LAST = (SaveRecord, Exit)


class SimServer(Machine):
    """A machine with a daemon; it is `blocked` while it gets no processor or waits for its kernel."""

    def __init__(self, world: World, index: int, settings: Settings) -> None:
        super().__init__(world, index, settings)
        self.prober = Prober(self)
        self.node: Node | None = None
        self.stalls = 0
        self.late: dict[int, Duration] = {}
        """Lateness of timers, by fault."""
        self.slow: dict[int, Duration] = {}
        """Lateness of the kernel's answers, by fault."""
        self.refusals = 0
        self.key = 0
        """Adverts are understood between servers with the same number."""
        self.busy = self.blocked = False
        self._daemon = DaemonState.STOPPED
        self._inbox: deque[Event] = deque()
        self._todo: deque[Action] = deque()
        self._results: deque[Event] = deque()
        self._told: list[Action] = []
        self._pending: tuple[ChangeAddresses, Instant, bool | None] | None = None
        self._deferred = False
        self._view_wanted = False
        self._wake_local: Instant | None = None
        self._wake_token = 0
        self._carriers: dict[type, Any] = {
            SendAdvert: self._send,
            ProbeVips: lambda _: world.probe_vip(self),
            ProbeServer: lambda action: world.probe_server(self, action.server, action.service),
            ProbeGateway: lambda _: world.probe_gateway(self),
            Announce: lambda _: world.announce(self),
            ReadNeighbours: self._read_neighbours,
            SaveRecord: self._tell_later,
            Exit: self._tell_later,
        }

    # What arrives

    def advert_arrives(self, packet: tuple[IPAddress, Advert]) -> None:
        """An advert reaches this machine."""
        if not self.up:
            self.to_ring(self.advert_arrives, packet)
        elif self.node is not None:
            now = self.clock.local(self.world.now)
            event = AdvertReceived(packet[0], packet[1], now)
            if self.blocked:
                self._to_inbox(event)
            else:
                self._handle(event, now)
                if self._todo or self._told:
                    self._work()
                due, node = self._wake_local, self.node
                if due is None or node is None or due > (node.deadline() or due):
                    self._arm(now)

    def rejected_arrives(self, packet: tuple[IPAddress, Rejection]) -> None:
        """Bytes that are no acceptable advert reach this machine."""
        self.frame_arrives(AdvertRejected(*packet))

    def frame_arrives(self, event: Event) -> None:
        """A frame that the daemon reads reaches this machine."""
        if not self.up:
            self.to_ring(self.frame_arrives, event)
        elif self.node is not None:
            if self.blocked:
                self._to_inbox(event)
            else:
                self._feed(event, self.clock.local(self.world.now))

    def post(self, event: Event) -> None:
        """A process or an operator on this machine tells the daemon something."""
        if self.node is None:
            return
        if self.blocked:
            self._to_inbox(event)
        else:
            self._feed(event, self.clock.local(self.world.now))

    def _to_inbox(self, event: Event) -> None:
        if len(self._inbox) < SOCKET_BUFFER:
            self._inbox.append(event)

    # The daemon

    def start(self, record: Record | None) -> None:
        """The daemon starts, with what /run has."""
        if not self.power or self.node is not None:
            return
        self._forget()
        self.kernel.leaving = False
        world = self.world
        self.node = Node(self.settings, boot_id=world.rng.getrandbits(64) | 1)
        self._state()
        self.prober.begin()
        if self.blocked:
            self._inbox.append(Started(self.view(), record))
        else:
            self._feed(Started(self.view(), record), self.clock.local(world.now))

    def kill(self) -> None:
        """SIGKILL, or a crash."""
        self._end(DaemonState.DEAD)

    def _end(self, state: DaemonState) -> None:
        if self.node is None:
            return
        self.node = None
        self._forget()
        self._daemon = state
        self.world.fact(DaemonChanged(self.name, state))

    def _forget(self) -> None:
        for queue in (self._inbox, self._todo, self._results):
            queue.clear()
        self._told.clear()
        self._pending = None
        self._deferred = self._view_wanted = self.busy = False
        self._wake_local = None
        self._wake_token += 1
        self._judge_blocked()

    def _state(self) -> None:
        """Say what the daemon is doing, when that is news."""
        if self.node is None:
            return
        state = DaemonState.STALLED if self.stalls else DaemonState.RUNNING
        if state is not self._daemon:
            self._daemon = state
            self.world.fact(DaemonChanged(self.name, state))

    def _judge_blocked(self) -> None:
        self.blocked = bool(self.stalls or self.stuns or self.busy)

    def _feed(self, event: Event, now: Instant) -> None:
        """One event, and everything that follows at once."""
        self._handle(event, now)
        if self._todo or self._results or self._told:
            self._work()
        if not self.blocked:
            self._arm(now)

    def _handle(self, event: Event, now: Instant) -> None:
        node, world = self.node, self.world
        if node is None:
            return
        try:
            actions = node.handle(event, now)
        except Exception as error:  # noqa: BLE001 - finding these is what a simulator is for
            world.escaped(Escaped(self.name, f"{type(event).__name__}: {error!r}"))
            self.kill()
            return
        world.turns += 1
        if world.watch is not None:
            world.watch(world.now, now, self.name, event, actions)
        if actions:
            self._todo.extend(actions)
        if type(event) is VipAnswered and event.channel is ARP:
            world.echo(self, event.mac)

    def _work(self) -> None:
        """Carry out what is to be done, in order, until something takes time."""
        todo = self._todo
        while True:
            while todo:
                action = todo.popleft()
                if type(action) is ChangeAddresses:
                    self._change(action)
                    return
                carry = self._carriers.get(type(action))
                if carry is not None:
                    carry(action)
            if not self._results:
                break
            self._handle(self._results.popleft(), self.clock.local(self.world.now))
        if not self._told:
            return
        told, self._told = self._told, []
        for action in told:
            if type(action) is SaveRecord:
                self.old_record, self.record = self.record, action.record
            else:
                self._end(DaemonState.STOPPED)

    def _tell_later(self, action: Action) -> None:
        self._told.append(action)

    def _read_neighbours(self, _: Action) -> None:
        self._results.append(NeighboursRead(self.world.neighbours(self)))

    def _send(self, action: SendAdvert) -> None:
        if self.links_down:
            return
        now = self.clock.local(self.world.now)
        if self.settings.strict_lease is not None and action.advert.role is Role.HOLDER:
            self.kernel.advert_left(now)
            self.arm_filter()
            if not self.answers:
                self.refresh()
        self.world.send_adverts(self, action)

    def _change(self, action: ChangeAddresses) -> None:
        self._pending = (action, self.clock.local(self.world.now), None)
        self.busy = self.blocked = True
        self.later(self._system_call_time(), self._step, action.id)

    def _system_call_time(self) -> Duration:
        rng = self.world.rng
        slow = max(self.slow.values(), default=0)
        return int(rng.random() * (slow or SYSTEM_CALL)) // 2 + 10_000

    def _step(self, number: int) -> None:
        """The kernel has done it; then the daemon has looked at the clock."""
        if self._pending is None or self._pending[0].id != number:
            return
        if self.stalls or self.stuns:
            self._deferred = True
            return
        action, started, done = self._pending
        now = self.clock.local(self.world.now)
        if done is None:
            refuses = self.refusals > 0 and self.world.rng.random() < 0.5
            done = self.kernel.apply(action, started, now, refuses=refuses)
            self._pending = (action, started, done)
            self.address_changed()
            self.later(self._system_call_time(), self._step, number)
            return
        self._pending = None
        outcome = self.kernel.judge(action, started, now, done=done)
        self.address_changed()
        self.busy = False
        self._judge_blocked()
        self._results.append(AddressesDone(action.id, outcome, started, now, "simulated"))
        self._work()
        self._drain()

    def _drain(self) -> None:
        """Packets first, then the view of the host, then the timer: the driver's turn."""
        while self._inbox and not self.blocked and self.node is not None:
            self._feed_queued(self._inbox.popleft())
        if self._view_wanted and not self.blocked and self.node is not None:
            self._view_wanted = False
            self._feed_queued(HostObserved(self.view()))
        if not self.blocked and self.node is not None:
            self._arm(self.clock.local(self.world.now))

    def _feed_queued(self, event: Event) -> None:
        now = self.clock.local(self.world.now)
        self._handle(event.read_at(now) if isinstance(event, AdvertReceived) else event, now)
        self._work()

    # Timers

    def _arm(self, now: Instant) -> None:
        """One wake-up for the next deadline; what is due already is done now, as the driver does."""
        for _ in TICKS_AT_ONCE:
            node, armed = self.node, self._wake_local
            if node is None or self.blocked:
                return
            deadline = node.deadline()
            if deadline is None or (armed is not None and armed <= deadline):
                return
            if deadline > now or self.late:
                self._wake_local = deadline
                self._wake_token += 1
                self._wake_at(deadline if deadline > now else now)
                return
            self._handle(TICK, now)
            self._work()
        self.world.escaped(Escaped(self.name, "the deadline stays in the past"))
        self.kill()

    def _wake_at(self, local: Instant) -> None:
        world = self.world
        late = max(self.late.values()) if self.late else TICK_JITTER
        at, now = self.clock.world(local), world.now
        if at is None or at < now:
            at = now
        world.at(at + int(world.random() * late), self._wake, self._wake_token)

    def _wake(self, token: int) -> None:
        if token != self._wake_token:
            return
        self._wake_local = None
        node = self.node
        if node is None or self.blocked:
            return
        now = self.clock.local(self.world.now)
        deadline = node.deadline()
        if deadline is not None and now >= deadline:
            self._feed(TICK, now)
        else:
            self._arm(now)

    # What the machine says

    def observe(self, _: None) -> None:
        """The monitor has seen something: a fresh view."""
        if self.node is None:
            return
        if self.blocked:
            self._view_wanted = True
        else:
            self._feed(HostObserved(self.view()), self.clock.local(self.world.now))

    def stall(self, begins: bool) -> None:
        """The daemon gets no processor, or gets it again; the kernel goes on."""
        self.stalls += 1 if begins else -1
        self._state()
        self.resume()

    def resume(self) -> None:
        """What waited goes on, if it may."""
        self._judge_blocked()
        if self.stalls or self.stuns:
            return
        if self._deferred and self._pending is not None:
            self._deferred = False
            self._step(self._pending[0].id)
        elif not self.busy:
            self._drain()

    def daemon_lost(self) -> None:
        """Power is gone."""
        self._end(DaemonState.DEAD)

    def daemon_boots(self) -> None:
        """The machine has booted; nothing is left in /run."""
        self.start(None)

    def timers_moved(self) -> None:
        """Arm anew."""
        self._wake_local = None
        self._wake_token += 1
