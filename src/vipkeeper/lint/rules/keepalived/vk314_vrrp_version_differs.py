"""The servers of one VIP speak different versions of VRRP.

## What it does
Reports instances of one VIP with version 2 on one server and 3 on another.

## Why it is bad
Each discards the adverts of the other version: all of them hold the VIP.

## Example
Bad:
```
# cp1
global_defs {
    vrrp_version 3
}
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    virtual_ipaddress {
        10.10.10.100
    }
}
# cp2
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    virtual_ipaddress {
        10.10.10.100
    }
}
```

Good:
```
# cp1 and cp2
global_defs {
    vrrp_version 3
}
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    virtual_ipaddress {
        10.10.10.100
    }
}
```

## How to fix
Write the same `vrrp_version` in `global_defs` of all servers.

## How to verify
`tcpdump -ni eth0 vrrp` shows adverts of one server.

## References
RFC 9568, section 7.1; keepalived 2.2.7, tried.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Span, shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import Member, elections, line_of, version_of
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK314", "vrrp-version-differs", Severity.ERROR, Reach.CLUSTER, (Kind.KEEPALIVED,))


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each version against that of the first server."""
    for first, *others in elections(cluster):
        for member in others:
            mine, theirs = version_of(member), version_of(first)
            if mine != theirs:
                yield RULE.finding(
                    _place(member),
                    f"VRRP version {mine} here, {theirs} on '{shown(first.server.name)}': both hold the VIP",
                    help=f"write vrrp_version {max(mine, theirs)} on all servers",
                    related=[Related(_place(first), "the other version")],
                )


def _place(member: Member) -> Span:
    given = member.conf.globals("vrrp_version")
    return line_of(member, "version") if given is None else given.span
