"""A file could not be read, so nothing in it was judged.

## What it does
Reports every file and folder that was named or found and that cannot be opened, is no regular file, or is
larger than 10 MiB.

## Why it is bad
What is in the file is not known. A run that leaves a file out must not look like a clean one.

## Example
Bad:
```
# etc/keepalived/keepalived.conf
include /etc/keepalived/vip.conf     # there is no such file
```

Good:
```
# etc/keepalived/keepalived.conf
include /etc/keepalived/vip.conf

# etc/keepalived/vip.conf
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    virtual_ipaddress {
        10.10.10.100
    }
}
```

## How to fix
Run the linter as a user who may read the file, mend the link, or name another file.

## How to verify
`cat FILE > /dev/null` says nothing.

## References
None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Trouble
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK001", "file-unreadable", Severity.ERROR, Reach.CLUSTER, kinds=())
_TROUBLES = (Trouble.UNREADABLE, Trouble.TOO_LARGE)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Every such problem."""
    for problem in cluster.problems:
        if problem.trouble in _TROUBLES:
            yield RULE.finding(problem.span, problem.message)
