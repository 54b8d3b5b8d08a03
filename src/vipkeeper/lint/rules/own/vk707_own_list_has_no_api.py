"""A node without an API server stands in cluster.yaml.

## What it does
Reports servers of cluster.yaml that are agents or have `disable-apiserver`.

## Why it is bad
Such a node is never ready, so it is counted as a server that is always ill: alarms that mean nothing, and with no other server ready the
VIP may stay on a node where nothing answers.

## Example
Bad:
```yaml
# cp1/etc/vipkeeper/cluster.yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11
  cp4: 10.10.10.14

# cp4/etc/rancher/rke2/config.yaml
disable-apiserver: true
node-ip: 10.10.10.14
```

Good:
```yaml
# cp1/etc/vipkeeper/cluster.yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11

# cp4/etc/rancher/rke2/config.yaml
disable-apiserver: true
node-ip: 10.10.10.14
```

## How to fix
List servers with an API server only.

## How to verify
`curl -k https://ADDRESS:6443/livez` of each server in the list is answered, be it with 401.

## References
docs/configuration.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.own import OwnConfig
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, as_address

RULE = Rule(
    "VK707",
    "own-list-has-no-api",
    Severity.WARNING,
    Reach.CLUSTER,
    (Kind.OWN_CONFIG,),
    Confidence.LIKELY,
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each server of the list with the one of that name or address."""
    for conf in cluster.all(OwnConfig):
        for name, word in conf.servers:
            address = as_address(word.text)
            for server in cluster.servers:
                same = server.name == name.text or address in server.addresses
                off = server.settings.get("disable-apiserver")
                without = off is not None and server.settings.is_true("disable-apiserver")
                if same and (server.is_agent or without):
                    what = "is an agent" if server.is_agent else "has 'disable-apiserver'"
                    place = off.span if off else server.settings.start
                    yield RULE.finding(
                        name.span,
                        f"{shown(name.text)} can never hold the VIP usefully: it {what}",
                        help="list servers with an API server only",
                        related=[Related(place, what)] if place else (),
                    )
