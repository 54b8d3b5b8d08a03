"""`etcd-arg` sets what RKE2 and k3s manage themselves.

## What it does
Reports arguments of etcd that name the member, its data, its peers or its addresses.

## Why it is bad
RKE2 writes etcd's configuration anew at every start from the node's name, `node-ip` and the list of members. A value from outside does
not match them: etcd starts empty in another directory, or `request cluster ID mismatch`, or snapshots and resets look where
no data is.

## Example
Bad:
```yaml
etcd-arg:
  - data-dir=/mnt/ssd/etcd
```

Good:
```yaml
etcd-arg:
  - quota-backend-bytes=8589934592
```

## How to fix
Remove the argument. Mount a fast disk at /var/lib/rancher/rke2/server/db; addresses follow `node-ip`.

## How to verify
`etcdctl member list` names each server with its `node-ip`.

## References
k3s-io/k3s#4462.
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
from vipkeeper.lint.scope import Server

RULE = Rule("VK129", "etcd-arg-managed", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY)
_MANAGED = frozenset(
    [
        "data-dir",
        "wal-dir",
        "name",
        "initial-cluster",
        "initial-cluster-state",
        "initial-cluster-token",
        "initial-advertise-peer-urls",
        "advertise-client-urls",
        "listen-peer-urls",
        "listen-client-urls",
        "force-new-cluster",
    ]
)


def check(server: Server) -> Iterator[Finding]:
    """Every argument by its name."""
    for value in server.settings.values("etcd-arg"):
        name = value.text.lstrip("-").partition("=")[0]
        if name in _MANAGED:
            yield RULE.finding(
                value.span,
                f"{server.settings.product.title} sets etcd's '{name}' itself",
                help="remove the argument",
            )
