"""The machine under a simulated daemon: power, clock, link, and a kernel that goes on without it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from vipkeeper.core.facts import AnswersChanged, LinkChanged, PowerChanged, StunChanged, VipChanged
from vipkeeper.core.types import MILLISECOND, Duration, HostView, Record, Settings, VipView
from vipkeeper.sim.clock import Clock
from vipkeeper.sim.faults import VIP
from vipkeeper.sim.kernel import LATEST_EXPIRY, Kernel

if TYPE_CHECKING:
    from vipkeeper.sim.world import World

RING = 256
"""Packets that wait for a stunned machine."""
BOOT: Duration = 3_000 * MILLISECOND


class Machine:
    """Counters of what is wrong with it may nest: two stuns at once end when both have ended."""

    def __init__(self, world: World, index: int, settings: Settings) -> None:
        self.world = world
        self.index = index
        self.settings = settings
        self.name = settings.servers[index].name
        self.address = settings.servers[index].address
        self.mac = bytes([2, 0, 0, 0, 0, index + 1])
        self.clock = Clock(world.now, world.rng.randrange(10**9, 10**15))
        self.kernel = Kernel(settings.strict_lease)
        self.record: Record | None = None
        """What the daemon left in /run."""
        self.old_record: Record | None = None
        self.power = True
        self.links_down = self.stuns = 0
        self.up = True
        """On, connected, and not stunned: the kernel answers."""
        self.answers = False
        """It answers for the VIP."""
        self._has_vip = False
        self._ring: deque[tuple[Any, Any]] = deque()
        self._expiry_token = 0
        self._filter_armed = False

    # What the daemon on it must be told

    def daemon_lost(self) -> None:
        """Power is gone."""

    def daemon_boots(self) -> None:
        """The machine has booted."""

    def resume(self) -> None:
        """A stun or a stall begins or ends."""

    def timers_moved(self) -> None:
        """Timers were armed by the old course of the clock."""

    def observe(self, _: None) -> None:
        """The monitor has seen a change of link or addresses."""

    # The kernel

    def to_ring(self, call: Any, packet: Any) -> None:
        """Keep a packet for a machine that is stunned; one that is off or cut off gets none."""
        if self.power and self.stuns and not self.links_down and len(self._ring) < RING:
            self._ring.append((call, packet))

    def later(self, delay: Duration, call: Any, argument: Any) -> None:
        """Call it after a while of the world's time."""
        self.world.at(self.world.now + delay, call, argument)

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
        self.later(int(self.world.rng.random() * MILLISECOND), self.observe, None)

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

    def arm_filter(self) -> None:
        """Look again when the strict lease ends."""
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
            self.arm_filter()

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
        self.daemon_lost()
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
        self.daemon_boots()

    def stun(self, begins: bool) -> None:
        """All clocks of this machine stand still, or go on."""
        self.stuns += 1 if begins else -1
        if self.stuns != (1 if begins else 0):
            return
        self.clock.change(self.world.now, running=not begins)
        self.world.fact(StunChanged(self.name, begins))
        self.refresh()
        if begins:
            self.resume()
            return
        ring, self._ring = self._ring, deque()
        for call, packet in ring:
            call(packet)
        self._clock_changed()

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
        self.timers_moved()
        self._arm_expiry()
        self._filter_armed = False
        if self.settings.strict_lease is not None and not self.stuns:
            self.arm_filter()
        self.resume()
