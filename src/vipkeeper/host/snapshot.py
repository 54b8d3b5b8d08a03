"""Links and addresses of this host as values, and what can be told from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vipkeeper.wire.ethernet import MAC_LENGTH
from vipkeeper.wire.types import IPAddress


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """One address of this host."""

    address: IPAddress
    prefix_length: int
    interface: str
    index: int
    permanent: bool

    def holds(self, other: IPAddress) -> bool:
        """True when the other address lies in the subnet of this one; a host route is no subnet."""
        if self.address.version != other.version:
            return False
        host_bits = self.address.max_prefixlen - self.prefix_length
        return host_bits > 0 and (int(self.address) ^ int(other)) >> host_bits == 0


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

    def on_link(
        self,
        address: IPAddress,
        own: IPAddress,
        vips: Sequence[IPAddress],
        interface: str | None = None,
    ) -> tuple[Link, IPAddress] | None:
        """The interface whose subnet holds the address, and the address of this host to ask it from:
        `own` where that is there. None when it cannot be asked on the wire. A link-local address is
        in a subnet of many: name its `interface`."""
        found: tuple[Link, IPAddress] | None = None
        for local in self.addresses:
            if not local.holds(address) or local.address in vips:
                continue
            link = self.link(local.interface)
            if link is None or not link.up or len(link.mac) != MAC_LENGTH:
                continue
            if interface in (None, link.name) and (found is None or local.address == own):
                found = link, local.address
        return found

    def interface_for(self, vip: IPAddress, vips: Sequence[IPAddress]) -> str | None:
        """The interface whose subnet holds the VIP, by addresses that are no VIPs themselves."""
        for local in self.addresses:
            if local.holds(vip) and local.address not in vips:
                return local.interface
        return None
