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
    """Every address of a server against the networks of all."""
    found = cluster_networks(cluster)
    for server in cluster.servers:
        given = server.settings.value("node-ip")
        span = given.span if given else server.settings.start
        for address in server.addresses:
            if span is None or server.facts.is_vip(str(address)):
                continue
            for network in (n for n in found if address in n.network):
                yield RULE.finding(
                    span,
                    f"the address {address} of {shown_name(server)} lies in {network}",
                    help="choose a cluster-cidr and a service-cidr away from the servers' subnet",
                    related=[Related(network.span, f"'{network.key}'")] if network.span else (),
                )
