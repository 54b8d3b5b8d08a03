"""IPv4 and IPv6 in one instance of keepalived.

## What it does
Reports a `virtual_ipaddress` with addresses of both families.

## Why it is bad
keepalived keeps the family of the first address and drops the others: `address family must match VRRP instance ...
ignoring`. That VIP is nowhere.

## Example
Bad:
```
virtual_ipaddress {
    10.10.10.100/32
    fd00:10::100/128
}
```

Good:
```
virtual_ipaddress {
    10.10.10.100/32
}
virtual_ipaddress_excluded {
    fd00:10::100/128
}
```

## How to fix
Move the addresses of the other family into `virtual_ipaddress_excluded`: they go where the first ones go. Or make an
instance for each family and bind them by a `vrrp_sync_group`.

## How to verify
`keepalived -t` says nothing; `ip addr` of the holder shows both.

## References
keepalived 2.2.7, tried.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import File, as_address

RULE = Rule("VK319", "mixed-families", Severity.ERROR, Reach.FILE, (Kind.KEEPALIVED,))


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Each address against the family of the first one."""
    for instance in file.document.instances:
        lines = [line for b in instance.block.all("virtual_ipaddress") for line in b.children]
        words = [(line.words[0], as_address(line.keyword)) for line in lines]
        known = [(word, address) for word, address in words if address is not None]
        for word, address in known[1:]:
            if address.version != known[0][1].version:
                yield RULE.finding(
                    word.span,
                    f"keepalived drops {address}: the instance is IPv{known[0][1].version}",
                    help="move it to virtual_ipaddress_excluded",
                    related=[Related(known[0][0].span, "the first address")],
                )
