"""The servers of one VIP have different virtual router ids.

## What it does
Reports instances with the same VIP and different `virtual_router_id`.

## Why it is bad
By the id keepalived knows who takes part in an election. Each server is alone in its own, and all of them hold the
VIP.

## Example
Bad:
```
# cp1
virtual_router_id 51
# cp2
virtual_router_id 52
```

Good:
```
# cp1 and cp2
virtual_router_id 51
```

## How to fix
Write the same id on all servers of a VIP; only the priority differs.

## How to verify
`ip addr` shows the VIP on one server.

## References
RFC 9568, section 5.2.3; acassen/keepalived#2370.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import addresses_of, elections, line_of
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK317", "vrid-differs", Severity.ERROR, Reach.CLUSTER, (Kind.KEEPALIVED,))


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each id against that of the first server."""
    for first, *others in elections(cluster):
        for member in others:
            mine, theirs = member.instance.vrid, first.instance.vrid
            if mine != theirs and mine is not None and theirs is not None:
                vip = sorted(map(str, addresses_of(member.instance) & addresses_of(first.instance)))
                yield RULE.finding(
                    line_of(member, "virtual_router_id"),
                    f"id {mine} here, {theirs} on '{shown(first.server.name)}': both hold"
                    f" {vip[0] if vip else 'the VIP'}",
                    help=f"write {theirs} on all servers",
                    related=[Related(line_of(first, "virtual_router_id"), "the other id")],
                )
