"""The VIP lies in the network of pods or services.

## What it does
Reports VIPs inside `cluster-cidr` or `service-cidr`, also where these have their defaults, 10.42.0.0/16 and 10.43.0.0/16.

## Why it is bad
Every server routes that network into the cluster: packets to the VIP go to a pod or to nothing. From outside the VIP may answer,
from the servers themselves it does not, so nobody can join and pods do not reach the API through it.

## Example
Bad:
```yaml
tls-san: [10.43.0.100]
service-cidr: 10.43.0.0/16
```
```console
$ vipkeeper lint etc/rancher/rke2/config.yaml --vip=10.43.0.100
```

Good:
```yaml
tls-san: [192.168.4.100]
service-cidr: 10.43.0.0/16
```
```console
$ vipkeeper lint etc/rancher/rke2/config.yaml --vip=192.168.4.100
```

## How to fix
Take a free address of the servers' own subnet. If the subnet itself overlaps, choose other networks for pods and services; that
means a new cluster, since they cannot be changed later.

## How to verify
`ip route get VIP` on a server names the interface of its own subnet.

## References
RKE2 documentation, "Server configuration".
"""

from __future__ import annotations

from collections.abc import Iterator

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

RULE = Rule("VK110", "vip-in-cluster-network", Severity.ERROR, Reach.CLUSTER, SETTINGS)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Every VIP against the networks of all servers."""
    for vip in cluster.facts.vips:
        for network in cluster_networks(cluster):
            if vip.address not in network.network:
                continue
            starts = (s.settings.start for s in cluster.control_plane)
            span = vip.span or network.span or next(starts, None)
            if span is not None:
                other = network.span if vip.span else None
                yield RULE.finding(
                    span,
                    f"the VIP {vip} ({vip.origin}) lies in {network}",
                    help="take a free address of the servers' own subnet",
                    related=[Related(other, f"'{network.key}'")] if other else (),
                )
