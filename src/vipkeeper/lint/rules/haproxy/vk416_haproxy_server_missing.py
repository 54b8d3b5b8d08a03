"""A server is missing in the pool of haproxy.

## What it does
Reports pools of the control plane that lack a server, where the list of servers is known to be complete.

## Why it is bad
Clients of the load balancer never reach it: if the servers that are listed are gone, the API is, though that one
serves.

## Example
Bad:
```
# etc/vipkeeper/cluster.yaml
vip: 10.10.10.100
servers: {cp1: 10.10.10.11, cp2: 10.10.10.12, cp3: 10.10.10.13}

# etc/haproxy/haproxy.cfg
backend api
    server cp1 10.10.10.11:6443 check
    server cp2 10.10.10.12:6443 check
```

Good:
```
# etc/vipkeeper/cluster.yaml
vip: 10.10.10.100
servers: {cp1: 10.10.10.11, cp2: 10.10.10.12, cp3: 10.10.10.13}

# etc/haproxy/haproxy.cfg
backend api
    server cp1 10.10.10.11:6443 check
    server cp2 10.10.10.12:6443 check
    server cp3 10.10.10.13:6443 check
```

## How to fix
Add the server, unless it has no API server (`disable-apiserver`).

## How to verify
The statistics page shows all servers UP.

## References
RKE2 docs, "High Availability".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import pools, target
from vipkeeper.lint.scope import Cluster, as_address

RULE = Rule(
    "VK416",
    "haproxy-server-missing",
    Severity.WARNING,
    Reach.CLUSTER,
    (Kind.HAPROXY,),
    Confidence.LIKELY,
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each pool against the servers."""
    facts = cluster.facts
    etcd = {s.name for s in cluster.servers if s.settings.is_true("disable-apiserver")}
    wanted = [s for s in facts.servers if s.address is not None and s.name not in etcd]
    if not facts.complete or not wanted:
        return
    for haproxy in cluster.all(Haproxy):
        for pool in pools(haproxy):
            there = {as_address(target(line)[0]) for line in pool.servers}
            missing = [s for s in wanted if s.address not in there]
            if None in there or not missing or len(missing) == len(wanted):
                continue
            names = ", ".join(f"{shown(server.name)} ({server.address})" for server in missing)
            yield RULE.finding(
                pool.section.kind.span,
                f"{names} gets no clients of port {pool.port}",
                help=f"add server {missing[0].name} {missing[0].address}:{pool.port} check",
            )
