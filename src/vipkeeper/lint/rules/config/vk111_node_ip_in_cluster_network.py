"""A server's address lies in the network of pods or services.

## What it does
Reports `node-ip` and other known addresses of servers inside `cluster-cidr` or `service-cidr`, defaults included.

## Why it is bad
The other servers route that network to pods, so they do not reach this server: etcd does not join
(`dial tcp 10.42.0.11:2380: i/o timeout`), or joins and loses its peers when the CNI starts.

## Example
Bad:
```yaml
node-ip: 10.42.0.11
```

Good:
```yaml
node-ip: 10.42.0.11
cluster-cidr: 172.20.0.0/16
service-cidr: 172.21.0.0/16
```

## How to fix
Choose other networks for pods and services before the first start; they cannot be changed later.

## How to verify
`ip route get ADDRESS` of another server names the interface of the servers' subnet.

## References
RKE2 documentation, "Server configuration".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import shown_name
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.networks import cluster_networks
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK111", "node-ip-in-cluster-network", Severity.ERROR, Reach.CLUSTER, SETTINGS)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each network once, with the servers whose addresses are in it."""
    for network in cluster_networks(cluster):
        inside = [
            (server, address)
            for server in cluster.servers
            for address in server.addresses
            if address in network.network and not cluster.facts.is_vip(str(address))
        ]
        if not inside:
            continue
        server, address = inside[0]
        given = server.settings.value("node-ip")
        own = given.span if given else server.settings.start
        span = network.span or own
        if span is None:
            continue
        more = len({id(found) for found, _ in inside}) - 1
        others = f" and {more} more" if more else ""
        yield RULE.finding(
            span,
            f"the address {address} of {shown_name(server)}{others} lies in {network}",
            help="choose a cluster-cidr and a service-cidr away from the servers' subnet",
            related=[Related(own, f"'node-ip' of {shown_name(server)}")]
            if own and own != span
            else (),
        )
