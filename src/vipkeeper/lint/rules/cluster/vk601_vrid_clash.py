"""Two different VIPs share a virtual router id.

## What it does
Reports instances of keepalived with the same `virtual_router_id` and address family whose lists of addresses have nothing
in common, on different servers, or on the same interface of one.

## Why it is bad
By the id keepalived knows who takes part in an election. Two VIPs with one id suppress each other: whoever has the higher
priority keeps the other VIP away from everybody, or both log foreign adverts for ever (2.2.7).

## Example
Bad:
```
# cp1
vrrp_instance API {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.10.10.100
    }
}
# lb1
vrrp_instance WEB {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.10.10.200
    }
}
```

Good:
```
# cp1
vrrp_instance API {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.10.10.100
    }
}
# lb1
vrrp_instance WEB {
    interface eth0
    virtual_router_id 52
    virtual_ipaddress {
        10.10.10.200
    }
}
```

## How to fix
Give each VIP an id of its own, the same on all its servers. 51 is what every guide has; choose another.

## How to verify
`tcpdump -ni eth0 vrrp` shows one sender for each vrid.

## References
openshift/installer#2966, acassen/keepalived#2444.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from vipkeeper.config.tree import Span
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Instance, Keepalived
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import Cluster, IPAddress, as_address

RULE = Rule(
    "VK601", "vrid-clash", Severity.ERROR, Reach.CLUSTER, (Kind.KEEPALIVED,), Confidence.LIKELY
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Compare the first instance of each id with the later ones."""
    by_id: dict[tuple[int, int], list[tuple[str, Instance]]] = {}
    for server in cluster.servers:
        for instance in (i for conf in server.all(Keepalived) for i in conf.instances):
            if instance.vrid is not None:
                versions = {address.version for address in _addresses(instance)}
                for version in versions:
                    by_id.setdefault((instance.vrid, version), []).append((server.name, instance))
    for (vrid, _), instances in sorted(by_id.items()):
        for (_, first), (_, second) in combinations(instances[:50], 2):
            if _clash(first, second):
                place, other = _place(second), _place(first)
                yield RULE.finding(
                    place,
                    f"'{second.name}' and '{first.name}' hold different VIPs with one id, {vrid}",
                    help="give each VIP a virtual_router_id of its own",
                    related=[Related(other, f"'{first.name}' has the same id")],
                )


def _addresses(instance: Instance) -> set[IPAddress]:
    found = (as_address(word.text) for word in instance.vips)
    return {address for address in found if address is not None}


def _clash(first: Instance, second: Instance) -> bool:
    return first is not second and not _addresses(first) & _addresses(second)


def _place(instance: Instance) -> Span:
    statement = instance.block.first("virtual_router_id")
    return (statement or instance.block).span
