"""The VIPs on this host's interfaces: read, add, renew and remove them under a kernel lease.

An address is added with a whole-second lifetime (`IFA_CACHEINFO`) that only a live daemon renews. Its
preferred lifetime is 0, so the kernel never picks it as a source address; as a /32 or /128 it comes
after the server's own IPv4 addresses and brings no prefix route.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from pyroute2 import AsyncIPRoute, NetlinkError

from vipkeeper.core.actions import AddressOperation
from vipkeeper.core.events import AddressOutcome
from vipkeeper.core.types import SECOND, AddressState, Duration, HostView, Instant, VipView
from vipkeeper.wire.types import IPAddress

IFF_UP = 0x1
IFF_LOWER_UP = 0x10000
IFA_F_NODAD = 0x02
IFA_F_PERMANENT = 0x80
IFA_F_NOPREFIXROUTE = 0x200
_GONE = frozenset({99, 19})  # EADDRNOTAVAIL, ENODEV: what is not there needs no removal


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """One address of this host."""

    address: IPAddress
    prefix_length: int
    interface: str
    index: int
    permanent: bool


@dataclass(frozen=True, slots=True)
class Link:
    """One interface of this host."""

    name: str
    index: int
    up: bool
    """Administratively up and with carrier."""
    mac: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Links and addresses, read in one go."""

    links: tuple[Link, ...]
    addresses: tuple[LocalAddress, ...]

    def link(self, name: str | None) -> Link | None:
        """The interface with this name."""
        return next((link for link in self.links if link.name == name), None)

    def interface_for(self, vip: IPAddress, vips: Sequence[IPAddress]) -> str | None:
        """The interface whose subnet holds the VIP, by addresses that are no VIPs themselves."""
        for local in self.addresses:
            if local.address in vips or local.address.version != vip.version:
                continue
            network = ip_network(f"{local.address}/{local.prefix_length}", strict=False)
            if vip in network and network.prefixlen < network.max_prefixlen:
                return local.interface
        return None


class Addresses:
    """All VIPs of this server; one netlink object for commands."""

    def __init__(
        self,
        vips: Sequence[IPAddress],
        own: IPAddress,
        interface: str | None,
        clock: Callable[[], Instant],
    ) -> None:
        """`interface` None: for each VIP the one whose subnet holds it."""
        self._vips = tuple(vips)
        self._own = own
        self._interface = interface
        self._clock = clock
        self._route: Any = None
        self._snapshot = Snapshot((), ())

    async def open(self) -> None:
        """Connect to the kernel and read it once."""
        self._route = AsyncIPRoute()
        await self.view()

    async def close(self) -> None:
        """Forget the connection."""
        route, self._route = self._route, None
        if route is not None:
            with contextlib.suppress(OSError):
                route.close()

    @property
    def snapshot(self) -> Snapshot:
        """What the last `view` read."""
        return self._snapshot

    def interface(self, vip: IPAddress) -> str | None:
        """Where this VIP belongs, as of the last view."""
        return self._interface or self._snapshot.interface_for(vip, self._vips)

    async def view(self) -> HostView:
        """Read interfaces and addresses afresh."""
        read_at = self._clock()
        self._snapshot = await self._read()
        names = [self.interface(vip) for vip in self._vips]
        links = [self._snapshot.link(name) for name in names]
        own = next((a for a in self._snapshot.addresses if a.address == self._own), None)
        detail = ""
        for vip, name, link in zip(self._vips, names, links, strict=True):
            if name is None:
                detail = f"no interface has a subnet that holds {vip}"
            elif link is None:
                detail = f"interface {name} does not exist"
            elif not link.up:
                detail = f"interface {name} is down or has no carrier"
        if not detail and own is None:
            detail = f"own address {self._own} is not on this host"
        return HostView(
            read_at=read_at,
            interface=None if any(link is None for link in links) else names[0],
            link_up=all(link is not None and link.up for link in links),
            own_address=own is not None,
            vips=tuple(self._vip_view(vip) for vip in self._vips),
            detail=detail,
        )

    def _vip_view(self, vip: IPAddress) -> VipView:
        found = [a for a in self._snapshot.addresses if a.address == vip]
        if not found:
            return VipView(vip, AddressState.ABSENT)
        state = AddressState.PERMANENT if found[0].permanent else AddressState.LEASED
        behind = True
        if isinstance(vip, IPv4Address):
            same = [a for a in self._snapshot.addresses if a.index == found[0].index]
            own = [same.index(a) for a in same if a.address == self._own]
            behind = not own or own[0] < same.index(found[0])
        return VipView(vip, state, behind)

    async def _read(self) -> Snapshot:
        links = []
        async for message in await self._route.link("dump"):
            flags = message["flags"]
            up = bool(flags & IFF_UP and flags & IFF_LOWER_UP)
            mac = bytes.fromhex((message.get("address") or "").replace(":", ""))
            links.append(Link(message.get("ifname"), message["index"], up, mac))
        names = {link.index: link.name for link in links}
        addresses = []
        async for message in await self._route.addr("dump"):
            text = message.get("local") or message.get("address")
            if text is None or message["index"] not in names:
                continue
            flags = message.get("IFA_FLAGS") or message["flags"]
            addresses.append(
                LocalAddress(
                    ip_address(text.partition("%")[0]),
                    message["prefixlen"],
                    names[message["index"]],
                    message["index"],
                    bool(flags & IFA_F_PERMANENT),
                )
            )
        return Snapshot(tuple(links), tuple(addresses))

    async def change(
        self, operation: AddressOperation, lifetime: Duration, not_after: Instant | None
    ) -> tuple[AddressOutcome, Instant, Instant, str]:
        """Carry out one operation of core.actions on all VIPs together."""
        started = self._clock()
        if operation is AddressOperation.REMOVE:
            problem = await self._remove_all()
            outcome = AddressOutcome.DONE if problem is None else AddressOutcome.FAILED
            return outcome, started, self._clock(), problem or ""
        if not_after is not None and started >= not_after:
            await self._remove_all()
            return AddressOutcome.LAPSED, started, self._clock(), "the lease had ended before"
        if operation is AddressOperation.REORDER:
            await self._remove_all()
        problem = await self._set_all(operation, lifetime)
        finished = self._clock()
        if problem is not None:
            await self._remove_all()
            return AddressOutcome.FAILED, started, finished, problem
        late = not_after is not None and finished >= not_after
        if late or finished >= started + lifetime:
            # replace creates an address that is gone: one that came back this late must go again.
            await self._remove_all()
            return AddressOutcome.LAPSED, started, finished, "the lease ended meanwhile"
        return AddressOutcome.DONE, started, finished, ""

    async def _set_all(self, operation: AddressOperation, lifetime: Duration) -> str | None:
        for vip in self._vips:
            if operation is AddressOperation.ADD and self._is_permanent(vip):
                return f"{vip} is a permanent address of this host"
            problem = await self._set(vip, max(1, lifetime // SECOND))
            if problem is not None:
                return problem
        return None

    async def _set(self, vip: IPAddress, seconds: int) -> str | None:
        link = self._snapshot.link(self.interface(vip))
        if link is None:
            return f"no interface for {vip}"
        fields: dict[str, Any] = {
            "index": link.index,
            "address": str(vip),
            "prefixlen": vip.max_prefixlen,
            "family": socket.AF_INET if vip.version == 4 else socket.AF_INET6,
            "preferred_lft": 0,
            "valid_lft": seconds,
        }
        flags = IFA_F_NOPREFIXROUTE
        if vip.version == 6:
            flags |= IFA_F_NODAD  # the wire was asked before the claim
        try:
            await self._route.addr("replace", flags=flags, **fields)
        except (NetlinkError, OSError) as error:
            return f"{vip} on {link.name}: {error}"
        return None

    async def _remove_all(self) -> str | None:
        problem = None
        for vip in self._vips:
            if not self._is_permanent(vip):
                problem = await self._remove(vip) or problem
        return problem

    async def _remove(self, vip: IPAddress) -> str | None:
        link = self._snapshot.link(self.interface(vip))
        placed = {a.index for a in self._snapshot.addresses if a.address == vip}
        indices = placed | ({link.index} if link is not None else set())
        for index in indices:
            try:
                await self._route.addr(
                    "del", index=index, address=str(vip), prefixlen=vip.max_prefixlen
                )
            except NetlinkError as error:
                if error.code not in _GONE:
                    return f"{vip}: {error}"
            except OSError as error:
                return f"{vip}: {error}"
        return None

    def _is_permanent(self, vip: IPAddress) -> bool:
        return any(a.address == vip and a.permanent for a in self._snapshot.addresses)
