"""Only some servers use the external datastore.

## What it does
Reports clusters where some servers have `datastore-endpoint` and others have none, or another one.

## Why it is bad
A server without it makes an etcd of its own, or fails to join with `etcd datastore disabled`. Two endpoints that are two databases are
two clusters behind one VIP: what was created a moment ago is gone after the VIP moves.

## Example
Bad:
```yaml
# cp1
datastore-endpoint: mysql://user:pass@tcp(10.10.10.50:3306)/rke2
# cp2: none
```

Good:
```yaml
# cp1 and cp2
datastore-endpoint: mysql://user:pass@tcp(10.10.10.50:3306)/rke2
```

## How to fix
Write the same endpoint on every server.

## How to verify
`kubectl get nodes` shows all servers, whichever of them is asked.

## References
k3s `pkg/cluster/managed.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import Held, deviations, proven_servers, shown_name
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

RULE = Rule("VK614", "datastore-differs", Severity.ERROR, Reach.CLUSTER, SETTINGS)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Compare the endpoints, which may hold a password and are never printed."""
    for found in deviations(proven_servers(cluster), _held):
        both = bool(found.held.text) and bool(found.common.text)
        yield RULE.finding(
            found.span,
            f"{found.who} have different datastores"
            if both
            else f"of {found.who} only one has a 'datastore-endpoint'",
            help="write the same datastore-endpoint on every server",
            related=[Related(found.other_span, f"that of {shown_name(found.other)}")],
            severity=Severity.WARNING if both else None,
            confidence=Confidence.LIKELY if both else None,
        )


def _held(server: Server) -> Held:
    value = server.settings.value("datastore-endpoint")
    return Held(value.text, value.span) if value else Held("")
