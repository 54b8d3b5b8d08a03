"""cluster.yaml has another address for a server than its own configuration.

## What it does
Reports servers whose address in cluster.yaml is not their `node-ip` though both lie in the same subnet. An address in another subnet, a
network of its own for adverts, is left alone.

## Why it is bad
Each daemon finds itself in cluster.yaml by its addresses. With a wrong one it waits for an address that never comes, or takes itself
for another server, and the VIP is held by the others alone.

## Example
Bad:
```yaml
# cp1/etc/vipkeeper/cluster.yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.21

# cp1/etc/rancher/rke2/config.yaml
token: abc
node-ip: 10.10.10.11
```

Good:
```yaml
# cp1/etc/vipkeeper/cluster.yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11

# cp1/etc/rancher/rke2/config.yaml
token: abc
node-ip: 10.10.10.11
```

## How to fix
Write the address that `ip -br addr` shows on that server.

## How to verify
`vipkeeper doctor` on that server finds itself in the list.

## References
docs/configuration.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.networks import as_network
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
    "VK703",
    "own-address-differs",
    Severity.ERROR,
    Reach.CLUSTER,
    (Kind.OWN_CONFIG,),
    Confidence.LIKELY,
)
_NEAR = {4: 24, 6: 64}


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each server of the list with the one of that name."""
    for conf in cluster.all(OwnConfig):
        for name, word in conf.servers:
            server = next((s for s in cluster.servers if s.name == name.text), None)
            address = as_address(word.text)
            if server is None or address is None:
                continue
            given = server.settings.values("node-ip")
            known = [found for found in (as_address(v.text) for v in given) if found is not None]
            near = as_network(f"{address}/{_NEAR[address.version]}")
            if address in known or near is None:
                continue
            twin = next((a for a in known if a in near and not cluster.facts.is_vip(str(a))), None)
            if twin is not None:
                yield RULE.finding(
                    word.span,
                    f"{shown(name.text)} is {address} here, and its 'node-ip' is {twin}",
                    help=f"write {shown(name.text)}: {twin}",
                    related=[Related(given[0].span, f"'node-ip' of {shown(name.text)}")],
                )
