"""The servers of one VIP have different passwords.

## What it does
Reports instances of one VIP whose `authentication` differs, with VRRP version 2. Of a password only the first 8
characters count.

## Why it is bad
Each discards the adverts of the other (`received an invalid passwd`): all of them hold the VIP.

## Example
Bad:
```
# cp1
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    authentication {
        auth_type PASS
        auth_pass k8s-vip1
    }
    virtual_ipaddress {
        10.10.10.100
    }
}
# cp2
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    authentication {
        auth_type PASS
        auth_pass k8s-vip2
    }
    virtual_ipaddress {
        10.10.10.100
    }
}
```

Good:
```
# cp1 and cp2
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    authentication {
        auth_type PASS
        auth_pass k8s-vip1
    }
    virtual_ipaddress {
        10.10.10.100
    }
}
```

## How to fix
Write the same on all servers. The password goes over the network as it is and protects against mistakes only.

## How to verify
`tcpdump -ni eth0 vrrp` shows adverts of one server.

## References
keepalived 2.2.7, tried; RFC 2338, section 5.3.6.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import (
    PASSWORD_LENGTH,
    Member,
    elections,
    line_of,
    version_of,
)
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK315", "vrrp-password-differs", Severity.ERROR, Reach.CLUSTER, (Kind.KEEPALIVED,))


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each authentication against that of the first server."""
    for first, *others in elections(cluster):
        for member in others:
            if version_of(member) == version_of(first) == 2 and _known(member) != _known(first):
                yield RULE.finding(
                    line_of(member, "authentication"),
                    f"'{shown(member.server.name)}' and '{shown(first.server.name)}' discard each"
                    " other's adverts: their authentication differs",
                    help="write the same on all servers",
                    related=[Related(line_of(first, "authentication"), "the other one")],
                )


def _known(member: Member) -> tuple[str, str]:
    block = member.instance.block.first("authentication")
    found = [
        block.first(word) if block is not None else None for word in ("auth_type", "auth_pass")
    ]
    kind, secret = (line.value.text if line and line.value else "" for line in found)
    return kind, secret[:PASSWORD_LENGTH]
