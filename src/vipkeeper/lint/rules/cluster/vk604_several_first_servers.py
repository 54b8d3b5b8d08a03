"""Several servers start a cluster of their own.

## What it does
Reports clusters with embedded etcd where more than one server has no `server`.

## Why it is bad
Each of them makes a new cluster with other certificates. Both work, and the VIP leads to one or the other:
`x509: certificate signed by unknown authority`, nodes that are there and are not. On a cluster that runs the line is not needed,
until that server is set up anew: then it does not come back to its cluster.

## Example
Bad:
```yaml
# cp1 and cp2
token: abc
```

Good:
```yaml
# cp1
token: abc
# cp2
server: https://10.10.10.100:9345
```

## How to fix
Set `server` on every server but one. A server that has made its own cluster must lose /var/lib/rancher/rke2/server/db before it joins.

## How to verify
`kubectl get nodes` shows all servers, whichever of them is asked.

## References
RKE2 documentation, "High availability".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import joins, shown_name
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, Server

RULE = Rule(
    "VK604", "several-first-servers", Severity.ERROR, Reach.CLUSTER, SETTINGS, Confidence.LIKELY
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Servers without `server`; with an external datastore none needs it."""
    servers = cluster.control_plane
    if any(server.settings.value("datastore-endpoint") for server in servers):
        return
    alone = [server for server in servers if not joins(server)]
    for server in alone[1:]:
        first = alone[0]
        start, other = server.settings.start, first.settings.start
        if start is None:
            continue
        yield RULE.finding(
            start,
            f"{shown_name(server)} has no 'server', nor has {shown_name(first)}: each starts a cluster",
            help=_advice(cluster, server),
            related=[Related(other, "the first server")] if other else (),
        )


def _advice(cluster: Cluster, server: Server) -> str:
    vips = cluster.facts.vips
    host = str(vips[0]) if vips else "ADDRESS"
    host = f"[{host}]" if ":" in host else host
    return f"server: https://{host}:{server.settings.product.supervisor_port}"
