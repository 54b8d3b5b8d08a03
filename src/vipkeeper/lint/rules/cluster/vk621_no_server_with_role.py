"""No server has etcd, or none has an API server.

## What it does
Reports clusters whose servers, all of them known, all have `disable-etcd` or all have `disable-apiserver`.

## Why it is bad
Without etcd nothing can be stored and no server starts; without an API server nothing answers behind the VIP.

## Example
Bad:
```yaml
# cp1, cp2 and cp3
token: abc
disable-etcd: true
```

Good:
```yaml
# cp1, cp2 and cp3
token: abc
```

## How to fix
Leave the keys out on three servers; they are for clusters whose roles are split.

## How to verify
`kubectl get nodes` shows the roles control-plane and etcd.

## References
RKE2 documentation, "Server roles".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster

RULE = Rule(
    "VK621", "no-server-with-role", Severity.ERROR, Reach.CLUSTER, SETTINGS, Confidence.LIKELY
)
_ROLES = {"disable-etcd": "etcd", "disable-apiserver": "an API server"}


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each role, where every server's settings are at hand."""
    servers = cluster.control_plane
    if not servers or not cluster.facts.complete or len(servers) < len(cluster.facts.servers):
        return
    for key, role in _ROLES.items():
        setting = servers[0].settings.get(key)
        if setting is not None and all(server.settings.is_true(key) for server in servers):
            yield RULE.finding(
                setting.span,
                f"every server has '{key}': none has {role}",
                help=f"remove '{key}' on one server, or on three",
            )
