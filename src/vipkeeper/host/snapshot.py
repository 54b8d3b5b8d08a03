"""Links and addresses of this host as values, and what can be told from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network

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
        network = ip_network(f"{self.address}/{self.prefix_length}", strict=False)
        return other in network and network.prefixlen < network.max_prefixlen


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
            link = self.link(local.interface)
            if local.address in vips or link is None or not link.up or len(link.mac) != MAC_LENGTH:
                continue
            if interface not in (None, link.name):
                continue
            if local.holds(address) and (found is None or local.address == own):
                found = link, local.address
        return found

    def interface_for(self, vip: IPAddress, vips: Sequence[IPAddress]) -> str | None:
        """The interface whose subnet holds the VIP, by addresses that are no VIPs themselves."""
        for local in self.addresses:
            if local.address not in vips and local.holds(vip):
                return local.interface
        return None
