"""The networks of pods and services overlap.

## What it does
Reports a `cluster-cidr` and a `service-cidr` that share addresses, also where one of them has its default.

## Why it is bad
The same address is given to a pod and to a service. Which one answers depends on the server: connections to services end at
pods, DNS among them, and nothing in the logs says why.

## Example
Bad:
```yaml
cluster-cidr: 10.43.0.0/16
```

Good:
```yaml
cluster-cidr: 10.44.0.0/16
```

## How to fix
Choose two networks that have nothing in common, before the first start; they cannot be changed later.

## How to verify
`kubectl get svc -A -o wide` and `kubectl get pods -A -o wide` show addresses of different networks.

## References
RKE2 documentation, "Server configuration".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.networks import networks
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK112", "cluster-networks-overlap", Severity.ERROR, Reach.SERVER, SETTINGS)


def check(server: Server) -> Iterator[Finding]:
    """Every network of pods against every one of services."""
    for pods in networks(server.settings, "cluster-cidr"):
        for services in networks(server.settings, "service-cidr"):
            span = services.span or pods.span
            if span is None or not pods.network.overlaps(services.network):
                continue
            other = pods.span if services.span else None
            yield RULE.finding(
                span,
                f"{pods} and {services} overlap",
                help="choose two networks that have nothing in common",
                related=[Related(other, "'cluster-cidr'")] if other else (),
            )
