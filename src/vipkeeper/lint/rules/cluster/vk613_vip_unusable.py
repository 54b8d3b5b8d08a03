"""An address that cannot be a VIP.

## What it does
Reports loopback, multicast, unspecified, link-local and broadcast addresses given as the VIP.

## Why it is bad
Nobody reaches such an address from another machine, or every machine has it itself. With 127.0.0.1 each client talks to itself; a
link-local address is not routed and needs an interface name in every URL.

## Example
Bad:
```yaml
vip: 169.254.10.100
servers:
  cp1: 10.10.10.11
```

Good:
```yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11
```

## How to fix
Take a free address of the servers' own subnet.

## How to verify
`curl -k https://VIP:6443/livez` from another machine is answered, be it with 401.

## References
RFC 6890.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK613", "vip-unusable", Severity.ERROR, Reach.CLUSTER, ())


def check(cluster: Cluster) -> Iterator[Finding]:
    """Every VIP by what its address is for."""
    for vip in cluster.facts.vips:
        address = vip.address
        kinds = {
            "loopback": address.is_loopback,
            "multicast": address.is_multicast,
            "unspecified": address.is_unspecified,
            "link-local": address.is_link_local,
            "broadcast": str(address) == "255.255.255.255",
        }
        what = next((name for name, so in kinds.items() if so), None)
        span = vip.span or next((s.start for s in cluster.sources.values()), None)
        if what is not None and span is not None:
            yield RULE.finding(
                span,
                f"{vip} ({vip.origin}) cannot be a VIP: it is a {what} address",
                help="take a free address of the servers' own subnet",
            )
