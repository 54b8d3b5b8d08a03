"""Two nodes have the same name.

## What it does
Reports a `node-name` that two servers or agents have, unless `with-node-id` makes it unique.

## Why it is bad
The second one is refused: `duplicate node name found, please use a unique name for this node`, or `Node password rejected, duplicate
hostname`. It happens when a file, or a whole machine, is copied.

## Example
Bad:
```yaml
# cp1 and cp2
node-name: cp1
```

Good:
```yaml
# cp2
node-name: cp2
```

## How to fix
Give each node a name of its own, or leave `node-name` out: the host name is used.

## How to verify
`kubectl get nodes` shows as many nodes as there are.

## References
rancher/rke2#2769, k3s-io/k3s#4803.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.compare import shown_name
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, Server
from vipkeeper.lint.settings import Value

RULE = Rule("VK608", "node-name-twice", Severity.ERROR, Reach.CLUSTER, SETTINGS)


def check(cluster: Cluster) -> Iterator[Finding]:
    """The first of each name against the later ones."""
    seen: dict[str, tuple[Server, Value]] = {}
    for server in cluster.servers:
        value = server.settings.value("node-name")
        if value is None or server.settings.is_true("with-node-id"):
            continue
        first = seen.setdefault(value.text.lower(), (server, value))
        if first[0] is not server and first[1].span != value.span:
            yield RULE.finding(
                value.span,
                f"{shown_name(server)} has the node name of {shown_name(first[0])}, {shown(value.text)}",
                help="give each node a name of its own",
                related=[Related(first[1].span, f"'node-name' of {shown_name(first[0])}")],
            )
