"""Several servers begin as MASTER.

## What it does
Reports `state MASTER` on more than one server of a VIP.

## Why it is bad
A server that begins as MASTER takes the VIP before it has listened. After a power cut, and at each restart of
keepalived, two servers hold it until an advert has been heard.

## Example
Bad:
```
# cp1 and cp2
state MASTER
```

Good:
```
# cp1
state BACKUP
priority 150
# cp2
state BACKUP
priority 140
```

## How to fix
Write `state BACKUP` on all servers: the priority decides.

## How to verify
Restart keepalived on a server without the VIP: its `ip addr` never shows it.

## References
keepalived.conf(5), "state".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import elections, line_of, value_of
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK324", "several-masters", Severity.WARNING, Reach.CLUSTER, (Kind.KEEPALIVED,))


def check(cluster: Cluster) -> Iterator[Finding]:
    """The second and later ones."""
    for members in elections(cluster):
        masters = [m for m in members if value_of(m, "state", "BACKUP").upper() == "MASTER"]
        for member in masters[1:]:
            yield RULE.finding(
                line_of(member, "state"),
                f"'{shown(member.server.name)}' and '{shown(masters[0].server.name)}' both begin with the VIP",
                help="write state BACKUP on all servers",
                related=[Related(line_of(masters[0], "state"), "MASTER too")],
            )
