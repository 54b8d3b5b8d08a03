"""A server of the cluster is missing in cluster.yaml.

## What it does
Reports servers with an API server whose name and `node-ip` are both not in `servers` of cluster.yaml.

## Why it is bad
That server never holds the VIP. When the others are down it is healthy, and nobody reaches it through the VIP.

## Example
Bad:
```yaml
# cp1/etc/vipkeeper/cluster.yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11
  cp2: 10.10.10.12

# cp3/etc/rancher/rke2/config.yaml
tls-san: [10.10.10.100]
node-ip: 10.10.10.13
```

Good:
```yaml
# cp1/etc/vipkeeper/cluster.yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11
  cp2: 10.10.10.12
  cp3: 10.10.10.13

# cp3/etc/rancher/rke2/config.yaml
tls-san: [10.10.10.100]
node-ip: 10.10.10.13
```

## How to fix
Add it to the file, copy the file to every server and reload.

## How to verify
`vipkeeper status` lists every server of `kubectl get nodes -l node-role.kubernetes.io/control-plane`.

## References
docs/configuration.md, "Order of servers".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import proven_servers
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
    "VK704",
    "server-not-in-own-list",
    Severity.WARNING,
    Reach.CLUSTER,
    (Kind.OWN_CONFIG,),
    Confidence.LIKELY,
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Servers that cannot be agents, against the list."""
    confs = [conf for conf in cluster.all(OwnConfig) if conf.servers]
    if not confs:
        return
    conf = confs[0]
    names = {name.text for name, _ in conf.servers}
    addresses = {as_address(word.text) for _, word in conf.servers}
    for server in proven_servers(cluster):
        known = [as_address(value.text) for value in server.settings.values("node-ip")]
        if not server.name or not known or server.settings.is_true("disable-apiserver"):
            continue
        start = server.settings.start
        if server.name in names or any(address in addresses for address in known):
            continue
        yield RULE.finding(
            conf.servers[0][0].span,
            f"'servers' lacks {server.name} ({known[0]}), which runs an API server",
            help=f"add {server.name}: {known[0]} on every server",
            related=[Related(start, f"{server.name} is a server")] if start else (),
        )
