"""One simulated server: machine, kernel, and a daemon that is a production node with the driver's rules."""

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
    AddressesDone,
    AdvertReceived,
    AdvertRejected,
    Channel,
    Event,
    HostObserved,
    NeighboursRead,
    Started,
    Tick,
    VipAnswered,
)
from vipkeeper.core.facts import (
    AnswersChanged,
    DaemonChanged,
    DaemonState,
    Escaped,
    LinkChanged,
    PowerChanged,
    StunChanged,
    VipChanged,
)
from vipkeeper.core.node import Node
from vipkeeper.core.types import MILLISECOND, Duration, HostView, Instant, Record, Settings, VipView
from vipkeeper.sim.clock import Clock
from vipkeeper.sim.faults import VIP
from vipkeeper.sim.kernel import LATEST_EXPIRY, Kernel
from vipkeeper.sim.prober import Prober
from vipkeeper.wire.types import Advert, IPAddress, Rejection

if TYPE_CHECKING:
    from vipkeeper.sim.world import World

SOCKET_BUFFER = 512
"""Packets that wait for a stalled daemon; more are lost."""
RING = 256
"""Packets that wait for a stunned machine."""
SYSTEM_CALL: Duration = 200_000
TICK_JITTER: Duration = 300_000
BOOT: Duration = 3_000 * MILLISECOND
TICKS_AT_ONCE = 64
TOLD_LAST = (SaveRecord, Exit)


class SimServer:
    """Counters of what is wrong with it may nest: two stalls at once end when both have ended."""

    def __init__(self, world: World, index: int, settings: Settings) -> None:
        self.world = world
        self.index = index
        self.settings = settings
        self.name = settings.servers[index].name
        self.address = settings.servers[index].address
        self.mac = bytes([2, 0, 0, 0, 0, index + 1])
        self.clock = Clock(world.now, world.rng.randrange(10**9, 10**15))
        self.kernel = Kernel(settings.strict_lease)
        self.prober = Prober(self)
        self.node: Node | None = None
        self.record: Record | None = None
        self.old_record: Record | None = None
        self.power = True
        self.links_down = self.stalls = self.stuns = 0
        self.late: dict[int, Duration] = {}
        """Lateness of timers, by fault."""
        self.slow: dict[int, Duration] = {}
        """Lateness of the kernel's answers, by fault."""
        self.refusals = 0
        self.key = 0
        """Adverts are understood between servers with the same number."""
        self.busy = self.blocked = False
        self.up = True
        """On, connected, and not stunned: the kernel answers."""
        self.answers = False
        self._has_vip = False
        self._daemon = DaemonState.STOPPED
        self._inbox: deque[Event] = deque()
        self._ring: deque[tuple[Any, Any]] = deque()
        self._todo: deque[Action] = deque()
        self._results: deque[Event] = deque()
        self._told: list[Action] = []
        self._pending: tuple[ChangeAddresses, Instant, bool | None] | None = None
        self._deferred = False
        self._view_wanted = False
        self._wake_local: Instant | None = None
        self._wake_token = 0
        self._expiry_token = 0
        self._filter_armed = False
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
            self._to_ring(self.advert_arrives, packet)
        elif self.node is not None:
            now = self.clock.local(self.world.now)
            event = AdvertReceived(packet[0], packet[1], now)
            if self.blocked:
                self._to_inbox(event)
            else:
                self._feed(event, now)

    def rejected_arrives(self, packet: tuple[IPAddress, Rejection]) -> None:
        """Bytes that are no acceptable advert reach this machine."""
        self.frame_arrives(AdvertRejected(*packet))

    def frame_arrives(self, event: Event) -> None:
        """A frame that the daemon reads reaches this machine."""
        if not self.up:
            self._to_ring(self.frame_arrives, event)
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

    def _to_ring(self, call: Any, packet: Any) -> None:
        if self.power and self.stuns and not self.links_down and len(self._ring) < RING:
            self._ring.append((call, packet))

    def _to_inbox(self, event: Event) -> None:
        if len(self._inbox) < SOCKET_BUFFER:
            self._inbox.append(event)

    # The daemon

    def start(self, record: Record | None) -> None:
        """The daemon starts, with what /run has."""
        if not self.power or self.node is not None:
            return
        self._forget()
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
            queue.clear()  # type: ignore[attr-defined]
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
            self._arm()

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
        if type(event) is VipAnswered and event.channel is Channel.ARP:
            world.echo(self, event.mac)

    def _work(self) -> None:
        """Carry out what is to be done, in order, until something takes time."""
        while True:
            while self._todo:
                action = self._todo.popleft()
                if type(action) is ChangeAddresses:
                    self._change(action)
                    return
                carry = self._carriers.get(type(action))
                if carry is not None:
                    carry(action)
            if not self._results:
                break
            self._handle(self._results.popleft(), self.clock.local(self.world.now))
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
        self.kernel.advert_left(now)
        if self.settings.strict_lease is not None:
            self._arm_filter()
            if not self.answers:
                self.refresh()
        self.world.send_adverts(self, action)

    def _change(self, action: ChangeAddresses) -> None:
        self._pending = (action, self.clock.local(self.world.now), None)
        self.busy = self.blocked = True
        self._later(self._system_call_time(), self._step, action.id)

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
            self._later(self._system_call_time(), self._step, number)
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
            self._arm()

    def _feed_queued(self, event: Event) -> None:
        self._handle(event, self.clock.local(self.world.now))
        self._work()

    # Timers

    def _arm(self) -> None:
        """One wake-up for the next deadline; what is due already is done now, as the driver does."""
        for _ in range(TICKS_AT_ONCE):
            node = self.node
            if node is None or self.blocked:
                return
            deadline = node.deadline()
            if deadline is None:
                return
            if self._wake_local is not None and self._wake_local <= deadline:
                return
            now = self.clock.local(self.world.now)
            if deadline > now or self.late:
                self._wake_local = deadline
                self._wake_token += 1
                late = max(self.late.values(), default=TICK_JITTER)
                at = self.clock.world(max(deadline, now)) or self.world.now
                at = max(at, self.world.now) + int(self.world.rng.random() * late)
                self.world.at(at, self._wake, self._wake_token)
                return
            self._handle(Tick(), now)
            self._work()
        self.world.escaped(Escaped(self.name, "the deadline stays in the past"))
        self.kill()

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
            self._feed(Tick(), now)
        else:
            self._arm()

    def _later(self, delay: Duration, call: Any, argument: Any) -> None:
        self.world.at(self.world.now + delay, call, argument)

    # The kernel

    def view(self) -> HostView:
        """Interface and addresses, read now."""
        return HostView(
            read_at=self.clock.local(self.world.now),
            interface="eth0",
            link_up=not self.links_down,
            own_address=True,
            vips=(VipView(VIP, self.kernel.state()),),
            gateway=self.world.gateway_address,
        )

    def host_changed(self) -> None:
        """The monitor tells the daemon that something changed."""
        self._later(int(self.world.rng.random() * MILLISECOND), self._observe, None)

    def _observe(self, _: None) -> None:
        if self.node is None:
            return
        if self.blocked:
            self._view_wanted = True
        else:
            self._feed(HostObserved(self.view()), self.clock.local(self.world.now))

    def address_changed(self) -> None:
        """The VIP came, went, or got a new lifetime."""
        if self.kernel.has_vip != self._has_vip:
            self._has_vip = self.kernel.has_vip
            self.world.fact(VipChanged(self.name, self._has_vip))
        if self.kernel.has_vip:
            self.kernel.lingers = int(self.world.rng.random() * LATEST_EXPIRY)
            self._arm_expiry()
        self.refresh()
        self.host_changed()

    def _arm_expiry(self) -> None:
        until = self.kernel.vip_until
        at = self.clock.world(until + self.kernel.lingers) if until is not None else None
        if at is not None:
            self._expiry_token += 1
            self.world.at(max(at, self.world.now), self._expire, self._expiry_token)

    def _expire(self, token: int) -> None:
        if token != self._expiry_token or self.stuns or not self.power:
            return
        if self.kernel.expired(self.clock.local(self.world.now)):
            self.address_changed()
        else:
            self._arm_expiry()

    def _arm_filter(self) -> None:
        if not self._filter_armed:
            at = self.clock.world(self.kernel.filter_until)
            if at is not None:
                self._filter_armed = True
                self.world.at(max(at, self.world.now) + 1, self._filter_due, None)

    def _filter_due(self, _: None) -> None:
        self._filter_armed = False
        if self.kernel.filtered(self.clock.local(self.world.now)):
            self.refresh()
        else:
            self._arm_filter()

    def refresh(self) -> None:
        """Judge anew whether this machine is reachable and answers for the VIP."""
        self.up = self.power and not self.stuns and not self.links_down
        filtered = self.kernel.filtered(self.clock.local(self.world.now))
        answers = self.up and self.kernel.has_vip and not filtered
        if answers != self.answers:
            self.answers = answers
            self.world.fact(AnswersChanged(self.name, answers))
            self.world.client.look(self.world.now)

    # What happens to the machine

    def power_off(self) -> None:
        """Everything is gone, what was in memory and /run included."""
        if not self.power:
            return
        self.power = False
        self._end(DaemonState.DEAD)
        self._ring.clear()
        self.record = self.old_record = None
        self.world.fact(PowerChanged(self.name, False))
        self.kernel.vip_until = None
        self.kernel.filter_until = 0
        self.address_changed()

    def power_on(self) -> None:
        """The machine boots; its clock begins anew."""
        if self.power:
            return
        self.power = True
        rate = self.clock.rate
        self.clock = Clock(self.world.now, BOOT)
        self.clock.change(self.world.now, rate=rate, running=not self.stuns)
        self.world.fact(PowerChanged(self.name, True))
        self.refresh()
        self.start(None)

    def stun(self, begins: bool) -> None:
        """All clocks of this machine stand still, or go on."""
        self.stuns += 1 if begins else -1
        if self.stuns != (1 if begins else 0):
            return
        self.clock.change(self.world.now, running=not begins)
        self.world.fact(StunChanged(self.name, begins))
        self._judge_blocked()
        self.refresh()
        if begins:
            return
        ring, self._ring = self._ring, deque()
        for call, packet in ring:
            call(packet)
        self._clock_changed()

    def stall(self, begins: bool) -> None:
        """The daemon gets no processor, or gets it again; the kernel goes on."""
        self.stalls += 1 if begins else -1
        self._state()
        self._resume()

    def _resume(self) -> None:
        self._judge_blocked()
        if self.stalls or self.stuns:
            return
        if self._deferred and self._pending is not None:
            self._deferred = False
            self._step(self._pending[0].id)
        elif not self.busy:
            self._drain()

    def link(self, down: bool) -> None:
        """Carrier goes or comes."""
        self.links_down += 1 if down else -1
        if self.links_down != (1 if down else 0):
            return
        self.world.fact(LinkChanged(self.name, not down))
        self.refresh()
        self.host_changed()

    def set_rate(self, rate: int) -> None:
        """The clock runs at another rate from now on."""
        self.clock.change(self.world.now, rate=rate)
        self._clock_changed()

    def _clock_changed(self) -> None:
        """Timers were armed by the old course of the clock."""
        self._wake_local = None
        self._wake_token += 1
        self._arm_expiry()
        self._filter_armed = False
        if self.settings.strict_lease is not None and not self.stuns:
            self._arm_filter()
        self._resume()
