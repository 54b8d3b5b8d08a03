"""Two servers have the same address.

## What it does
Reports a `node-ip` or `advertise-address` that two servers or agents have.

## Why it is bad
Two members of etcd with one address cannot both be reached: the second never gets past learner, or `this server is not a member of the
etcd cluster`. It happens when a file is copied from one server to the next.

## Example
Bad:
```yaml
# cp1 and cp2
node-ip: 10.10.10.11
```

Good:
```yaml
# cp2
node-ip: 10.10.10.12
```

## How to fix
Write each server's own address.

## How to verify
`kubectl get nodes -o wide` shows a different INTERNAL-IP for each.

## References
rancher/rke2#1263.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import shown_name
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, Server, as_address
from vipkeeper.lint.settings import Value

RULE = Rule("VK609", "address-twice", Severity.ERROR, Reach.CLUSTER, SETTINGS)


def check(cluster: Cluster) -> Iterator[Finding]:
    """The first of each address against the later ones."""
    for key in ("node-ip", "advertise-address"):
        seen: dict[object, tuple[Server, Value]] = {}
        for server in cluster.servers:
            for value in server.settings.values(key):
                address = as_address(value.text)
                if address is None or cluster.facts.is_vip(value.text):
                    continue
                first = seen.setdefault(address, (server, value))
                if first[0] is not server and first[1].span != value.span:
                    other = shown_name(first[0])
                    yield RULE.finding(
                        value.span,
                        f"{shown_name(server)} has the '{key}' of {other}, {address}",
                        help="write the server's own address",
                        related=[Related(first[1].span, f"'{key}' of {other}")],
                    )
