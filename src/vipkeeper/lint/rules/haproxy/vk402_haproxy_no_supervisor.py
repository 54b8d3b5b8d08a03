"""haproxy passes the API on, but not the port where servers join.

## What it does
Reports a haproxy for the API server of RKE2 that listens on 6443 and not on 9345, where servers or agents join
through the VIP or an address that is no server. A haproxy on the servers themselves needs no 9345 where their own supervisor
listens on the VIP: it does so on every address, unless `bind-address` names another one.

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

from vipkeeper.config.tree import shown
from vipkeeper.lint.facts import host_of
from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import pools
from vipkeeper.lint.rules.haproxy.supervisor import is_rke2_server, only_on
from vipkeeper.lint.scope import Cluster, Server

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
        front = next((p.fronts[0] for p in pools(haproxy) if p.port == 6443 and p.fronts), None)
        if front is None or any(bind.port == 9345 for bind in haproxy.binds):
            continue
        server = _server_of(cluster, haproxy)
        if server is not None and _serves_the_vip(server):
            continue
        # A server's own supervisor has loopback in any case, so that * cannot be bound there.
        address = "*" if server is None else host_of(joining[0].text)
        yield RULE.finding(
            front.span,
            "haproxy listens on no port 9345: servers and agents of RKE2 cannot join",
            help=f"add a frontend with bind {shown(address)}:9345 and a backend of the servers",
            related=[Related(joining[0].span, "who joins needs it")],
        )


def _server_of(cluster: Cluster, haproxy: Haproxy) -> Server | None:
    """The server of RKE2 that it runs on; None: a machine of its own, or one that is not known."""
    if any(document is haproxy for document in cluster.shared):
        return None
    owners = (s for s in cluster.servers if any(d is haproxy for d in s.documents))
    return next(filter(is_rke2_server, owners), None)


def _serves_the_vip(server: Server) -> bool:
    """Whether who joins through the VIP meets this server's own supervisor."""
    only = only_on(server)
    return only is None or server.facts.is_vip(str(only)) is not None
