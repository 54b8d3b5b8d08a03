"""The networks of pods and services in the settings of RKE2 and k3s, and ranges of ports."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from ipaddress import ip_network

from vipkeeper.config.tree import Span
from vipkeeper.lint.memo import once
from vipkeeper.lint.scope import Cluster, IPNetwork, as_address
from vipkeeper.lint.settings import Settings

NETWORK_KEYS = ("cluster-cidr", "service-cidr")
_DEFAULTS = {
    ("cluster-cidr", 4): "10.42.0.0/16",
    ("service-cidr", 4): "10.43.0.0/16",
    ("cluster-cidr", 6): "fd00:42::/56",
    ("service-cidr", 6): "fd00:43::/112",
}
"""Source: k3s pkg/cli/server/server.go; those of IPv6 where the node has no IPv4 address."""
_RANGE = re.compile(r"(\d{1,5})-(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Network:
    """A network of pods or of services, and where it is set."""

    key: str
    network: IPNetwork
    span: Span | None
    """None: the default."""

    def __str__(self) -> str:
        """In words: `service-cidr 10.43.0.0/16 (the default)`."""
        return f"{self.key} {self.network}{'' if self.span else ' (the default)'}"


@functools.lru_cache(maxsize=4096)
def as_network(text: str) -> IPNetwork | None:
    """The network in `10.42.0.0/16`; host bits are dropped, as Go does."""
    try:
        return ip_network(text.strip(), strict=False) if "/" in text else None
    except ValueError:
        return None


def networks(settings: Settings, key: str) -> tuple[Network, ...]:
    """The networks that a key names on one server, or its default."""
    if settings.value(key) is None:
        node = [as_address(value.text) for value in settings.values("node-ip")]
        only6 = bool(node) and all(a is not None and a.version == 6 for a in node)
        return (_default(key, 6 if only6 else 4),)
    found = ((as_network(value.text), value.span) for value in settings.values(key))
    return tuple(Network(key, network, span) for network, span in found if network is not None)


@functools.cache
def _default(key: str, version: int) -> Network:
    return Network(key, ip_network(_DEFAULTS[key, version]), None)


@once
def cluster_networks(cluster: Cluster) -> tuple[Network, ...]:
    """The networks of all servers; the default of a key only where no server sets it."""
    found: dict[tuple[str, IPNetwork], Network] = {}
    for key in NETWORK_KEYS:
        servers = cluster.control_plane
        given = [s for s in servers if s.settings.value(key) is not None]
        for server in given or servers[:1]:
            for network in networks(server.settings, key):
                found.setdefault((key, network.network), network)
    return tuple(found.values())


def port_range(text: str) -> range | None:
    """The ports in `30000-32767`; None for anything else."""
    match = _RANGE.fullmatch(text.strip())
    return range(int(match[1]), int(match[2]) + 1) if match else None
