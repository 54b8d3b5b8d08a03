"""haproxy passes the API on, but not the port where servers join.

## What it does
Reports a haproxy for the API server of RKE2 that listens on 6443 and not on 9345, where servers or agents join
through the VIP or an address that is no server.

## Why it is bad
Servers and agents of RKE2 join on 9345: `failed to get CA certs: Get "https://VIP:9345/cacerts": connect: connection
refused`, although kubectl works.

## Example
Bad:
```
# cp2/etc/rancher/rke2/config.yaml
server: https://10.10.10.100:9345
token: abc

# lb1/etc/haproxy/haproxy.cfg
frontend api
    bind *:6443
    default_backend api

backend api
    server cp1 10.10.10.11:6443 check
```

Good:
```
# cp2/etc/rancher/rke2/config.yaml
server: https://10.10.10.100:9345
token: abc

# lb1/etc/haproxy/haproxy.cfg
frontend api
    bind *:6443
    default_backend api

backend api
    server cp1 10.10.10.11:6443 check

frontend supervisor
    bind *:9345
    default_backend supervisor

backend supervisor
    server cp1 10.10.10.11:9345 check
```

## How to fix
Add a frontend and a backend for 9345, in mode tcp.

## How to verify
`curl -k https://VIP:9345/ping` prints pong.

## References
RKE2 docs, "High Availability", "Fixed registration address"; lablabs/ansible-role-rke2#287.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.facts import host_of
from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import pools
from vipkeeper.lint.scope import Cluster

RULE = Rule(
    "VK402",
    "haproxy-no-supervisor",
    Severity.ERROR,
    Reach.CLUSTER,
    (Kind.HAPROXY,),
    Confidence.LIKELY,
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """What each haproxy listens on, and whether anybody needs the other port."""
    joining = [
        value
        for server in cluster.servers
        if server.settings.product is Product.RKE2
        and (value := server.settings.value("server"))
        and cluster.facts.server_at(host_of(value.text)) is None
    ]
    if not joining:
        return
    for haproxy in cluster.all(Haproxy):
        ports = {bind.port for bind in haproxy.binds}
        for pool in pools(haproxy):
            entries = pool.fronts
            if pool.port == 6443 and 9345 not in ports and entries:
                yield RULE.finding(
                    entries[0].span,
                    "haproxy listens on no port 9345: servers and agents of RKE2 cannot join",
                    help="add a frontend with bind *:9345 and a backend of the servers",
                    related=[Related(joining[0].span, "who joins needs it")],
                )
                break
