"""The addresses as the driver wants them; packet sockets and strict lease follow where the VIPs belong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from vipkeeper.core.actions import AddressOperation
from vipkeeper.core.events import AddressOutcome
from vipkeeper.core.types import AddressState, Duration, HostView, Instant
from vipkeeper.daemon.strict import StrictLease
from vipkeeper.host.channels import Channels, Reach
from vipkeeper.host.clock import now
from vipkeeper.host.frames import Place, Wire
from vipkeeper.host.neighbours import Neighbour
from vipkeeper.host.netlink import Addresses
from vipkeeper.host.strict import Guard
from vipkeeper.wire.types import IPAddress


def moved(before: Sequence[Place], places: Sequence[Place]) -> bool:
    """Whether a VIP is at another MAC than before: neighbours would go on sending to the old one."""
    macs = {place.vip: place.mac for place in before}
    return any(macs.get(place.vip, place.mac) != place.mac for place in places)


class Placement:
    """An `AddressPort`: every fresh view may bind the packet sockets to other interfaces."""

    def __init__(
        self,
        addresses: Addresses,
        wire: Wire,
        channels: Channels,
        vips: tuple[IPAddress, ...],
        own: IPAddress,
        readable: Callable[[], None],
        lease: StrictLease | None = None,
    ) -> None:
        """`readable` is called in the event loop when a packet socket has something."""
        self._addresses = addresses
        self._wire = wire
        self._channels = channels
        self._servers: tuple[IPAddress, ...] = ()
        self._api_port: int | None = None
        self._vips = vips
        self._own = own
        self._readable = readable
        self._lease = lease
        self._watched: list[int] = []
        self._places: list[Place] = []
        """Where the VIPs were when an interface was last up."""

    async def view(self) -> HostView:
        """Read afresh and let the packet sockets follow."""
        host = self._addresses.view()
        if self._lease is not None:
            await self._lease.guard(self._guards())
        found = [self._place(vip) for vip in self._vips] if host.link_up else []
        places = [place for place in found if place is not None]
        before = self._watched
        if self._wire.place(places):
            self._watch(before)
        if moved(self._places, places) and all(v.state is AddressState.LEASED for v in host.vips):
            self._wire.announce()
        self._places = places or self._places
        self._channels.place(self._reach(host))
        return host

    def ask(self, servers: Sequence[IPAddress], api_port: int | None) -> None:
        """Whom a suspicion asks from the next view on; `servers` in configured order."""
        self._servers, self._api_port = tuple(servers), api_port

    def change(
        self, operation: AddressOperation, lifetime: Duration, not_after: Instant | None
    ) -> tuple[AddressOutcome, Instant, Instant, str]:
        """Carry out one address operation. A claim arms the strict lease, whose end a renewal reports; a
        removal lets it run out: should the kernel refuse, the VIP falls silent all the same."""
        lease = self._lease
        if lease is not None and operation is AddressOperation.REMOVE:
            lease.leave()
        if lease is None or operation is AddressOperation.REMOVE:
            return self._addresses.change(operation, lifetime, not_after)
        if operation is not AddressOperation.ADD and lease.lapsed:
            return self._lapse(now(), "the strict lease had ended before")
        result = self._addresses.change(operation, lifetime, not_after)
        outcome, started, *_ = result
        if operation is AddressOperation.ADD and outcome is AddressOutcome.DONE:
            # Not heard yet: one frozen in here for longer than its lease gives way to who claimed since.
            if now() - started < lease.lease:
                lease.arm()
            if now() - started >= lease.lease:
                return self._lapse(started, "the strict lease ended meanwhile")
        return result

    def _lapse(self, started: Instant, detail: str) -> tuple[AddressOutcome, Instant, Instant, str]:
        self._addresses.change(AddressOperation.REMOVE, 0, None)
        return AddressOutcome.LAPSED, started, now(), detail

    def neighbours(self) -> tuple[tuple[IPAddress, bytes], ...]:
        """The kernel's neighbour table, as far as it has MACs."""
        return self._addresses.neighbours()

    def close(self) -> None:
        """Close the packet sockets."""
        before = self._watched
        self._wire.close()
        self._watch(before)

    def _guards(self) -> list[Guard]:
        """Every interface on which VIPs belong, by its index."""
        found: dict[tuple[str, int], list[IPAddress]] = {}
        for vip in self._vips:
            link = self._addresses.snapshot.link(self._addresses.interface(vip))
            if link is not None:
                found.setdefault((link.name, link.index), []).append(vip)
        return [Guard(name, index, tuple(vips)) for (name, index), vips in found.items()]

    def _watch(self, before: list[int]) -> None:
        loop = asyncio.get_running_loop()
        for fileno in before:
            loop.remove_reader(fileno)
        self._watched = self._wire.filenos
        for fileno in self._watched:
            loop.add_reader(fileno, self._readable)

    def _reach(self, host: HostView) -> Reach:
        others = [(server, None) for server in self._servers if server != self._own]
        gateway = host.gateway
        asked: list[tuple[IPAddress, str | None]] = [*others]
        if gateway is not None:
            beside = next((vip for vip in self._vips if vip.version == gateway.version), None)
            asked.append((gateway, self._addresses.interface(beside) if beside else None))
        found = [self._neighbour(address, interface) for address, interface in asked]
        neighbours = tuple(neighbour for neighbour in found if neighbour is not None)
        return Reach(self._own, self._servers, self._api_port, gateway, neighbours)

    def _neighbour(self, address: IPAddress, interface: str | None) -> Neighbour | None:
        place = self._addresses.snapshot.on_link(address, self._own, self._vips, interface)
        return None if place is None else Neighbour(address, place[0].name, place[0].mac, place[1])

    def _place(self, vip: IPAddress) -> Place | None:
        snapshot = self._addresses.snapshot
        link = snapshot.link(self._addresses.interface(vip))
        if link is None or len(link.mac) != 6:
            return None
        here = [a.address for a in snapshot.addresses if a.index == link.index]
        family = [
            a
            for a in here
            if a.version == vip.version and a not in self._vips and not a.is_link_local
        ]
        source = self._own if self._own in family else next(iter(family), None)
        return Place(vip, link.name, link.mac, source)
