"""Two servers have the same priority.

## What it does
Reports instances of one VIP with the same `priority`; 100 where it is not given.

## Why it is bad
When the holder is lost both wait equally long and both take the VIP at the same moment; for that time two servers
answer, until the one with the lower address gives in.

## Example
Bad:
```
# cp2
priority 100
# cp3
priority 100
```

Good:
```
# cp2
priority 140
# cp3
priority 130
```

## How to fix
Give each server a priority of its own. Near 254 the wait after a planned stop is shortest.

## How to verify
Stop the holder: one server, and only one, logs `Entering MASTER STATE`.

## References
RFC 9568, section 8.3.2; kubernetes/kubeadm `docs/ha-considerations.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import Member, elections, line_of
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK312", "equal-priorities", Severity.WARNING, Reach.CLUSTER, (Kind.KEEPALIVED,))


def check(cluster: Cluster) -> Iterator[Finding]:
    """The later ones of each priority."""
    for members in elections(cluster):
        first: dict[int, Member] = {}
        for member in members:
            other = first.setdefault(member.instance.priority, member)
            if other is not member:
                yield RULE.finding(
                    line_of(member, "priority"),
                    f"'{shown(member.server.name)}' and '{shown(other.server.name)}' have the same"
                    f" priority, {member.instance.priority}",
                    help="give each server another priority",
                    related=[Related(line_of(other, "priority"), "the same priority")],
                )
