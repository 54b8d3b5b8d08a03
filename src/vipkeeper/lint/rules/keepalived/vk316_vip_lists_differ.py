"""The servers of one election have different lists of VIPs.

## What it does
Reports instances with the same `virtual_router_id` and some VIPs in common, but not all.

## Why it is bad
keepalived up to 2.2 discards an advert with another list: both servers hold the VIP. Later releases only log it; then
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
acassen/keepalived#1603; keepalived 2.2.7, tried.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import addresses_of, elections, line_of
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK316", "vip-lists-differ", Severity.ERROR, Reach.CLUSTER, (Kind.KEEPALIVED,))


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each list against that of the first server."""
    for first, *others in elections(cluster):
        for member in others:
            mine, theirs = addresses_of(member.instance), addresses_of(first.instance)
            if mine == theirs or member.instance.vrid != first.instance.vrid:
                continue
            missing = ", ".join(sorted(map(str, mine ^ theirs)))
            yield RULE.finding(
                line_of(member, "virtual_ipaddress"),
                f"'{shown(member.server.name)}' and '{shown(first.server.name)}' do not both have {missing}",
                help="write the same list on all servers",
                related=[Related(line_of(first, "virtual_ipaddress"), "the other list")],
            )
