"""nopreempt with state MASTER.

## What it does
Reports instances with `nopreempt`, or `preempt_delay`, and `state MASTER`.

## Why it is bad
keepalived clears it with a warning: `nopreempt will not work with initial state MASTER`. After a reboot this server
takes the VIP back at once, often before its API server is ready.

## Example
Bad:
```
vrrp_instance VI_1 {
    state MASTER
    nopreempt
}
```

Good:
```
vrrp_instance VI_1 {
    state BACKUP
    nopreempt
}
```

## How to fix
Write `state BACKUP` on all servers: the priority decides who is first.

## How to verify
`keepalived -t` says nothing.

## References
keepalived 2.2.7, tried.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity, replace
from vipkeeper.lint.scope import File

RULE = Rule("VK311", "nopreempt-with-master", Severity.WARNING, Reach.FILE, (Kind.KEEPALIVED,))


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """The two lines together."""
    for instance in file.document.instances:
        state = instance.block.first("state")
        if state is None or state.value is None or state.value.text != "MASTER":
            continue
        for keyword in ("nopreempt", "preempt_delay"):
            line = instance.block.first(keyword)
            if line is not None:
                yield RULE.finding(
                    line.span,
                    f"keepalived clears {keyword}, since the state is MASTER",
                    help="write state BACKUP",
                    related=[Related(state.span, "the state")],
                    fix=replace(state.value.span, "BACKUP", "write state BACKUP"),
                )
