"""vrrp_strict makes the VIP unreachable.

## What it does
Reports `vrrp_strict` in `global_defs`, or `strict_mode on` in an instance, where an instance is not the owner of its
address (priority 255) and has no `accept`.

## Why it is bad
By the letter of VRRP a router that does not own the address must not answer for it: keepalived drops all packets to
the VIP. It is on the holder, and nobody reaches it. The example that comes with some distributions has it.

## Example
Bad:
```
global_defs {
    vrrp_strict
}
```

Good:
```
global_defs {
    vrrp_version 3
}
```

## How to fix
Delete it.

## How to verify
`curl -k https://VIP:6443/` from another host gets an answer.

## References
keepalived.conf(5), "vrrp_strict", "accept"; RFC 9568, section 6.1 (Accept_Mode).
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule(
    "VK321", "vrrp-strict", Severity.ERROR, Reach.FILE, (Kind.KEEPALIVED,), Confidence.LIKELY
)


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Strict mode, in general or of an instance."""
    general = file.document.globals("vrrp_strict")
    for instance in file.document.instances:
        own = instance.block.first("strict_mode")
        word = own.value.text.lower() if own is not None and own.value is not None else "true"
        line = own if own is not None and word in ("on", "true", "yes") else general
        off = own is not None and word not in ("on", "true", "yes")
        if line is None or off or instance.priority == 255 or instance.block.has("accept"):
            continue
        yield RULE.finding(
            line.span,
            f"in strict mode keepalived drops what is sent to the VIPs of '{shown(instance.name)}'",
            help=f"delete {line.keyword}",
            related=[Related(instance.block.span, "not the owner of the address")],
        )
