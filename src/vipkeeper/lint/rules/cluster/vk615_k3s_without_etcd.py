"""The first k3s server has a datastore that no other can join.

## What it does
Reports k3s clusters of several servers whose first one has neither `cluster-init` nor `datastore-endpoint`, in its files or in the
arguments of its unit.

## Why it is bad
k3s alone uses SQLite. Another server that joins it exits with `etcd disabled`, and the loss of the first is the loss of the
cluster. (RKE2 always has etcd.)

## Example
Bad:
```yaml
# cp1
token: abc
tls-san: [10.10.10.100]
# cp2 and cp3
server: https://10.10.10.100:6443
token: abc
tls-san: [10.10.10.100]
```

Good:
```yaml
# cp1
token: abc
tls-san: [10.10.10.100]
cluster-init: true
# cp2 and cp3
server: https://10.10.10.100:6443
token: abc
tls-san: [10.10.10.100]
```

## How to fix
Set `cluster-init: true` on the first server and restart it: SQLite's content moves to etcd. The key may stay.

## How to verify
`kubectl get nodes` shows the role etcd on the first server.

## References
k3s documentation, "High availability embedded etcd".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import has_argument, joins, proven_servers, shown_name
from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import K3S, Kind
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK615", "k3s-without-etcd", Severity.ERROR, Reach.CLUSTER, K3S, Confidence.POSSIBLE)


def check(cluster: Cluster) -> Iterator[Finding]:
    """The server that does not join, where other servers do."""
    servers = [s for s in proven_servers(cluster) if s.settings.product is Product.K3S]
    joining = [server for server in servers if joins(server)]
    for server in servers:
        start = server.settings.start
        if joins(server) or not joining or start is None:
            continue
        settings = server.settings
        if settings.is_true("cluster-init") or settings.value("datastore-endpoint"):
            continue
        if has_argument(server, "--cluster-init") or has_argument(server, "--datastore-endpoint"):
            continue
        sure = bool(server.of(Kind.SYSTEMD_UNIT))
        other = joining[0].settings.value("server")
        yield RULE.finding(
            start,
            f"{shown_name(server)} has SQLite, which {shown_name(joining[0])} cannot join",
            help="add cluster-init: true",
            related=[Related(other.span, f"{shown_name(joining[0])} joins")] if other else (),
            confidence=Confidence.LIKELY if sure else None,
        )
