"""Servers that do not hear each other.

## What it does
Reports a server that is missing in `unicast_peer` of another one of the same VIP, and unicast on one server with
multicast on another.

## Why it is bad
Who gets no adverts takes the VIP while another server holds it: two servers answer.

## Example
Bad:
```
# cp1
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    unicast_src_ip 10.10.10.11
    unicast_peer {
        10.10.10.13
    }
    virtual_ipaddress {
        10.10.10.100
    }
}
# cp2
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    unicast_src_ip 10.10.10.12
    unicast_peer {
        10.10.10.11
    }
    virtual_ipaddress {
        10.10.10.100
    }
}
```

Good:
```
# cp1
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    unicast_src_ip 10.10.10.11
    unicast_peer {
        10.10.10.12
    }
    virtual_ipaddress {
        10.10.10.100
    }
}
# cp2
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    unicast_src_ip 10.10.10.12
    unicast_peer {
        10.10.10.11
    }
    virtual_ipaddress {
        10.10.10.100
    }
}
```

## How to fix
List all other servers on each server.

## How to verify
`ip addr` shows the VIP on one server.

## References
keepalived.conf(5), "unicast_peer"; acassen/keepalived#2370.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Statement
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import Member, elections, line_of, value_of
from vipkeeper.lint.scope import Cluster, IPAddress, as_address

RULE = Rule("VK318", "unicast-peers", Severity.ERROR, Reach.CLUSTER, (Kind.KEEPALIVED,))


def check(cluster: Cluster) -> Iterator[Finding]:
    """Whom each server sends its adverts to, where one of them sends them to single servers."""
    for members in elections(cluster):
        lists = [member.instance.block.first("unicast_peer") for member in members]
        unicast = next((m for m, block in zip(members, lists, strict=True) if block), None)
        if unicast is None:
            continue
        addresses = [_addresses(member) for member in members]
        for member, block in zip(members, lists, strict=True):
            if block is None:
                name = shown(unicast.server.name)
                yield RULE.finding(
                    member.instance.block.span,
                    f"multicast here, unicast on '{name}': they do not hear each other",
                    help="list the peers on every server",
                    related=[Related(line_of(unicast, "unicast_peer"), "unicast")],
                )
                continue
            peers = {as_address(line.keyword) for line in block.children}
            for other, theirs in zip(members, addresses, strict=True):
                there = other is member or None in peers or not theirs or theirs & peers
                if not there and other.instance.block.has("unicast_peer"):
                    yield _missing(block, other, sorted(map(str, theirs))[0])


def _missing(block: Statement, other: Member, address: str) -> Finding:
    name = shown(other.server.name)
    sure = other.instance.block.has("unicast_src_ip")
    return RULE.finding(
        block.span,
        f"'{name}', {address}, is missing: it hears nothing of this server",
        help=f"add {address}",
        related=[Related(other.instance.block.span, f"'{name}' has the same VIP")],
        confidence=Confidence.CERTAIN if sure else Confidence.LIKELY,
    )


def _addresses(member: Member) -> set[IPAddress]:
    """The addresses that a server may be listed by."""
    given = as_address(value_of(member, "unicast_src_ip", ""))
    return {given} if given is not None else set(member.server.addresses)
