"""A weighted check in a sync group.

## What it does
Reports instances of a `vrrp_sync_group` that track a script with a weight, without `sync_group_tracking_weight` (or
the older `global_tracking`).

## Why it is bad
keepalived ignores the check: `ignoring tracked script ... with weights due to SYNC group`. The VIP stays where the
API server is dead.

## Example
Bad:
```
vrrp_script api {
    weight -20
}
vrrp_sync_group VG {
    group {
        VI_1
    }
}
```

Good:
```
vrrp_script api {
    # no weight: a failed check takes the group away
}
vrrp_sync_group VG {
    group {
        VI_1
    }
}
```

## How to fix
Leave the weight out, or track the script in the group.

## How to verify
`keepalived -t` says nothing.

## References
keepalived 2.2.7, tried; keepalived.conf(5), "sync_group_tracking_weight".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import Member, weight_of
from vipkeeper.lint.scope import File

RULE = Rule("VK325", "weight-in-group", Severity.ERROR, Reach.FILE, (Kind.KEEPALIVED,))
_ALLOWED = ("sync_group_tracking_weight", "global_tracking", "track_script")


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Each weighted check of a member of a group."""
    conf = file.document
    for group in conf.blocks("vrrp_sync_group"):
        names = {line.keyword for block in group.all("group") for line in block.children}
        if any(group.has(word) for word in _ALLOWED):
            continue
        for instance in (i for i in conf.instances if i.name in names):
            for line in instance.scripts:
                if weight_of(Member(file.server, conf, instance), line):
                    yield RULE.finding(
                        line.span,
                        f"keepalived ignores '{shown(line.keyword)}': it has a weight, in a sync group",
                        help="leave the weight out",
                        related=[Related(group.span, "the group")],
                    )
