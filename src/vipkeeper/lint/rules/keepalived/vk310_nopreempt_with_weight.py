"""nopreempt with a weighted check.

## What it does
Reports instances with `nopreempt` that track a script with a weight other than 0.

## Why it is bad
A weight lowers the priority of the sick holder, but a server with `nopreempt` does not take the VIP from one with a
lower priority: the VIP never leaves the sick server.

## Example
Bad:
```
vrrp_script api {
    script "/etc/keepalived/check.sh"
    weight -20
}
vrrp_instance VI_1 {
    state BACKUP
    nopreempt
    track_script {
        api
    }
}
```

Good:
```
vrrp_script api {
    script "/etc/keepalived/check.sh"
}
vrrp_instance VI_1 {
    state BACKUP
    nopreempt
    track_script {
        api
    }
}
```

## How to fix
Leave the weight out: a failed check then puts the holder into FAULT state, which gives the VIP away.

## How to verify
Let the check fail on the holder: another server takes the VIP.

## References
acassen/keepalived#2379.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import Member, weight_of
from vipkeeper.lint.scope import File

RULE = Rule("VK310", "nopreempt-with-weight", Severity.ERROR, Reach.FILE, (Kind.KEEPALIVED,))


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Each weighted check of an instance that does not preempt."""
    for instance in file.document.instances:
        nopreempt = instance.block.first("nopreempt")
        state = instance.block.first("state")
        master = state is not None and state.value is not None and state.value.text == "MASTER"
        if nopreempt is None or master:
            continue
        for line in instance.scripts:
            weight = weight_of(Member(file.server, file.document, instance), line)
            if weight:
                yield RULE.finding(
                    line.span,
                    f"weight {weight} with nopreempt: the VIP never leaves a sick server",
                    help="leave the weight out",
                    related=[Related(nopreempt.span, "nopreempt")],
                )
