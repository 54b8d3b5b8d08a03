"""Controllers of several servers without an election.

## What it does
Reports `leader-elect=false` for the controller manager, the scheduler or the cloud controller on a cluster of more than one server.

## Why it is bad
The controllers of all servers act at the same time: pods are made and deleted again, endpoints flap, nodes get two networks. Some
guides for single nodes turn the election off to save writes.

## Example
Bad:
```yaml
server: https://10.10.10.100:9345
kube-controller-manager-arg:
  - leader-elect=false
```

Good:
```yaml
server: https://10.10.10.100:9345
kube-controller-manager-arg:
  - node-monitor-grace-period=20s
```

## How to fix
Remove the argument on every server.

## How to verify
`kubectl -n kube-system get leases` shows a lease kube-controller-manager and kube-scheduler with one holder.

## References
kube-controller-manager `--leader-elect`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import joins
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK132", "leader-election-off", Severity.ERROR, Reach.SERVER, SETTINGS)
_KEYS = (
    "kube-controller-manager-arg",
    "kube-controller-arg",
    "kube-scheduler-arg",
    "kube-cloud-controller-manager-arg",
)


def check(server: Server) -> Iterator[Finding]:
    """Only where another server is known."""
    several = joins(server) or (server.facts.complete and len(server.facts.servers) > 1)
    for key in _KEYS if several else ():
        for value in server.settings.values(key):
            name, _, text = value.text.lstrip("-").partition("=")
            if name == "leader-elect" and text.lower() in ("false", "f", "0"):
                yield RULE.finding(
                    value.span,
                    f"'{key}' turns the election off, and this is not the only server",
                    help="remove the argument",
                    confidence=None if joins(server) else Confidence.LIKELY,
                )
