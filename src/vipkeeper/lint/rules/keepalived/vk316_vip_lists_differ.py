"""The servers of one election have different lists of VIPs.

## What it does
Reports instances with the same `virtual_router_id` and some VIPs in common, but not all.

## Why it is bad
keepalived before 2.4 discards an advert with another list: both servers hold the VIP. Later releases only log it; then
a VIP that is missing on one server is gone while that one is the holder.

## Example
Bad:
```
# cp1
virtual_ipaddress {
    10.10.10.100
    10.10.10.101
}
# cp2
virtual_ipaddress {
    10.10.10.100
}
```

Good:
```
# cp1 and cp2
virtual_ipaddress {
    10.10.10.100
    10.10.10.101
}
```

## How to fix
Write the same list on all servers. Change it on all at once.

## How to verify
`tcpdump -vni eth0 vrrp` shows adverts of one server, with all addresses.

## References
acassen/keepalived#1603; keepalived 2.2.7, tried; the source of 2.4.3, read. Releases between them were not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity, Software, VersionRange
from vipkeeper.lint.rules.keepalived.peers import addresses_of, elections, line_of
from vipkeeper.lint.scope import Cluster

_OLD = VersionRange(Software.KEEPALIVED, before="2.4.0")
_NEW = VersionRange(Software.KEEPALIVED, since="2.4.0")
RULE = Rule(
    "VK316",
    "vip-lists-differ",
    Severity.ERROR,
    Reach.CLUSTER,
    (Kind.KEEPALIVED,),
    versions=(_OLD, _NEW),
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each list against that of the first server."""
    for first, *others in elections(cluster):
        for member in others:
            mine, theirs = addresses_of(member.instance), addresses_of(first.instance)
            if mine == theirs or member.instance.vrid != first.instance.vrid:
                continue
            missing = ", ".join(sorted(map(str, mine ^ theirs)))
            for versions, severity in ((_OLD, Severity.ERROR), (_NEW, Severity.WARNING)):
                yield RULE.finding(
                    line_of(member, "virtual_ipaddress"),
                    f"'{shown(member.server.name)}' and '{shown(first.server.name)}' do not both have {missing}",
                    help="write the same list on all servers",
                    related=[Related(line_of(first, "virtual_ipaddress"), "the other list")],
                    severity=severity,
                    versions=(versions,),
                )
