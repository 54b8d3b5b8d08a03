"""The range of node ports holds the servers' own ports.

## What it does
Reports a `service-node-port-range` that includes a port on which RKE2, k3s, etcd or the kubelet listens.

## Why it is bad
A service that gets, or asks for, such a port as its node port takes it on every address of every server, the VIP included: kube-proxy
sends connections to the API to that service instead. Until then everything works.

## Example
Bad:
```yaml
service-node-port-range: 1024-32767
```

Good:
```yaml
service-node-port-range: 30000-32767
```

## How to fix
Keep the range above 10259, or leave the default 30000-32767.

## How to verify
`kubectl get svc -A` shows no node port of the servers' own.

## References
kube-apiserver `--service-node-port-range`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.networks import port_range
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK133", "node-ports-take-own-ports", Severity.WARNING, Reach.SERVER, SETTINGS)
_PORTS = {6443: "the API server", 2379: "etcd", 2380: "etcd's peers", 10250: "the kubelet"}


def check(server: Server) -> Iterator[Finding]:
    """Every port of our own against the range."""
    value = server.settings.value("service-node-port-range")
    ports = port_range(value.text) if value else None
    if value is None or ports is None:
        return
    users = dict(_PORTS)
    if server.settings.product is Product.RKE2:
        users[9345] = "RKE2's supervisor"
    inside = [f"{port} ({user})" for port, user in sorted(users.items()) if port in ports]
    if inside:
        yield RULE.finding(
            value.span,
            f"node ports {shown(value.text)} include {', '.join(inside)}",
            help="write 30000-32767, or another range above 10259",
        )
