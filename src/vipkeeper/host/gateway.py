"""Which machine is asked when no server is heard, to tell deafness from solitude.

A machine that always answers ARP or neighbour solicitations in the VIP's subnet: the next hop of a route,
or the one the configuration names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv6Address

from vipkeeper.core.types import SECOND, Instant
from vipkeeper.host import routes
from vipkeeper.host.snapshot import Link, Snapshot
from vipkeeper.wire.types import IPAddress

READ_AGAIN_AFTER = 60 * SECOND
"""All routes are read at most this often; the default route, which is cheap to ask for, at every view."""


class GatewayRule:
    """The configuration key `gateway`, applied to what a host has."""

    def __init__(
        self,
        fixed: IPAddress | None,
        never: Iterable[IPAddress],
        *,
        default_hop: Callable[[int, int], IPAddress | None] = routes.default_hop,
        next_hops: Callable[[int, int], Iterable[IPAddress]] = routes.next_hops,
    ) -> None:
        """`fixed`: the address that the configuration names; None: found by routes. `never`: servers
        and VIPs, whose answers say something else."""
        self.fixed = fixed
        self._never = frozenset(never)
        self._default_hop = default_hop
        self._next_hops = next_hops
        self._read: dict[tuple[int, int], tuple[Instant, tuple[IPAddress, ...]]] = {}

    def find(
        self, snapshot: Snapshot, links: Mapping[IPAddress, Link | None], now: Instant
    ) -> IPAddress | None:
        """The gateway, given the VIPs and their interfaces; None when there is none in their subnets.

        The next hop of the default route over a VIP's interface comes first, then that of any route.
        """
        for vip, link in links.items():
            if link is None or not link.up:
                continue
            for hop in self._candidates(vip.version, link, now):
                if hop not in self._never and _beside(vip, hop, link, snapshot):
                    return hop
        return None

    def _candidates(self, version: int, link: Link, now: Instant) -> Iterable[IPAddress]:
        if self.fixed is not None:
            yield self.fixed
            return
        default = self._default_hop(version, link.index)
        if default is not None:
            yield default
        read_at, hops = self._read.get((version, link.index), (None, ()))
        if read_at is None or now - read_at >= READ_AGAIN_AFTER:
            hops = tuple(self._next_hops(version, link.index))
            self._read[version, link.index] = now, hops
        yield from hops


def _beside(vip: IPAddress, hop: IPAddress, link: Link, snapshot: Snapshot) -> bool:
    """On the link of the VIP: in a subnet of this interface that holds the VIP too. Routers of IPv6
    advertise their link-local address (RFC 4861 section 4.2), which is in none."""
    if isinstance(hop, IPv6Address) and hop.is_link_local and isinstance(vip, IPv6Address):
        return True
    return any(
        local.index == link.index and local.address != hop and local.holds(hop)
        for local in snapshot.addresses
        if local.holds(vip)
    )
