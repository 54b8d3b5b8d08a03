"""Members of etcd have different times.

## What it does
Reports servers whose `heartbeat-interval` or `election-timeout` in `etcd-arg` is not that of most. Left out, they are 500 and 5000 ms.

## Why it is bad
The member with the shorter timeout starts elections that the others need not: the leader changes for no reason, and each change stops
writes for seconds.

## Example
Bad:
```yaml
# cp1
etcd-arg: [heartbeat-interval=1000, election-timeout=10000]
# cp2: none
```

Good:
```yaml
# cp1 and cp2
etcd-arg: [heartbeat-interval=1000, election-timeout=10000]
```

## How to fix
Use the same times on every server, best in a drop-in that all of them have.

## How to verify
`grep -E 'heartbeat|election' /var/lib/rancher/rke2/server/db/etcd/config` on each server.

## References
etcd documentation, "Tuning".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from vipkeeper.lint.compare import Held, deviations, proven_servers, shown_name
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, Server

RULE = Rule("VK622", "etcd-timers-differ", Severity.WARNING, Reach.CLUSTER, SETTINGS)
_DEFAULTS = {"heartbeat-interval": "500", "election-timeout": "5000"}


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each time by itself, among servers with etcd."""
    servers = [s for s in proven_servers(cluster) if not s.settings.is_true("disable-etcd")]
    for name in _DEFAULTS:
        for found in deviations(servers, partial(_held, name=name)):
            yield RULE.finding(
                found.span,
                f"'{name}' of {found.who} differ: {found.held.text} and {found.common.text} ms",
                help="use the same times on every server",
                related=[Related(found.other_span, f"that of {shown_name(found.other)}")],
            )


def _held(server: Server, name: str) -> Held:
    held = Held(_DEFAULTS[name])
    for value in server.settings.values("etcd-arg"):
        given, _, number = value.text.lstrip("-").partition("=")
        if given == name and number.isdigit():
            held = Held(number.lstrip("0") or "0", value.span)
    return held
