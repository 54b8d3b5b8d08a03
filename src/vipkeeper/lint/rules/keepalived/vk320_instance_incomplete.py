"""An instance that keepalived refuses or changes.

## What it does
Reports instances without `virtual_router_id` or `interface`, without VIPs, with ids outside of 1 to 255 or priorities
outside of 1 to 254.

## Why it is bad
keepalived logs `the virtual router id must be set` and ends, or takes priority 100 instead. 255 is meant for a router
whose own address is the VIP: such a server takes it in any state.

## Example
Bad:
```
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 300
}
```

Good:
```
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 61
    priority 150
    virtual_ipaddress {
        10.10.10.100/32
    }
}
```

## How to fix
Give each instance a card, an id, a priority below 255 and its VIPs.

## How to verify
`keepalived -t` says nothing.

## References
keepalived 2.2.7, tried; RFC 9568, section 5.2.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK320", "instance-incomplete", Severity.ERROR, Reach.FILE, (Kind.KEEPALIVED,))


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """What an instance must have."""
    for instance in file.document.instances:
        block, name = instance.block, shown(instance.name)
        for keyword in ("virtual_router_id", "interface"):
            if not block.has(keyword):
                what = f"'{name}' has no {keyword}: keepalived ends"
                yield RULE.finding(block.span, what, help=f"add {keyword}")
        vrid, priority = block.first("virtual_router_id"), block.first("priority")
        if vrid is not None and vrid.number is not None and not 1 <= vrid.number <= 255:
            what = f"virtual_router_id {vrid.number:g} is outside of 1 to 255: keepalived ends"
            yield RULE.finding(vrid.span, what, help="choose another")
        if priority is not None and priority.number is not None and not 1 <= priority.number < 255:
            owner = priority.number == 255
            what = "255 takes the VIP in any state" if owner else "keepalived takes 100 instead"
            yield RULE.finding(
                priority.span,
                f"priority {priority.number:g}: {what}",
                help="take 254 or less" if priority.number >= 255 else "take 1 or more",
                severity=Severity.WARNING if owner else Severity.ERROR,
            )
        if not instance.vips and not block.has("virtual_ipaddress"):
            what = f"'{name}' has no virtual_ipaddress: there is no VIP"
            yield RULE.finding(block.span, what, help="add virtual_ipaddress")
