"""The addresses as the driver wants them, with the packet sockets following where the VIPs belong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from vipkeeper.core.actions import AddressOperation
from vipkeeper.core.events import AddressOutcome
from vipkeeper.core.types import Duration, HostView, Instant
from vipkeeper.host.frames import Place, Wire
from vipkeeper.host.netlink import Addresses
from vipkeeper.wire.types import IPAddress


class Placement:
    """An `AddressPort`: every fresh view may bind the packet sockets to other interfaces."""

    def __init__(
        self,
        addresses: Addresses,
        wire: Wire,
        vips: tuple[IPAddress, ...],
        own: IPAddress,
        readable: Callable[[], None],
    ) -> None:
        """`readable` is called in the event loop when a packet socket has something."""
        self._addresses = addresses
        self._wire = wire
        self._vips = vips
        self._own = own
        self._readable = readable
        self._watched: list[int] = []

    async def view(self) -> HostView:
        """Read afresh and let the packet sockets follow."""
        host = await self._addresses.view()
        places = [self._place(vip) for vip in self._vips] if host.link_up else []
        before = self._watched
        if self._wire.place(place for place in places if place is not None):
            self._watch(before)
        return host

    async def change(
        self, operation: AddressOperation, lifetime: Duration, not_after: Instant | None
    ) -> tuple[AddressOutcome, Instant, Instant, str]:
        """Carry out one address operation."""
        return await self._addresses.change(operation, lifetime, not_after)

    async def neighbours(self) -> tuple[tuple[IPAddress, bytes], ...]:
        """The kernel's neighbour table, as far as it has MACs."""
        return await self._addresses.neighbours()

    def close(self) -> None:
        """Close the packet sockets."""
        before = self._watched
        self._wire.close()
        self._watch(before)

    def _watch(self, before: list[int]) -> None:
        loop = asyncio.get_running_loop()
        for fileno in before:
            loop.remove_reader(fileno)
        self._watched = self._wire.filenos
        for fileno in self._watched:
            loop.add_reader(fileno, self._readable)

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
