"""The VIP starts and stops the server.

## What it does
Reports `notify` commands of keepalived that start, stop or restart rke2-server, k3s, kubelet or etcd.

## Why it is bad
Every server is a member of etcd and must run all the time. If only the holder of the VIP runs, etcd has no majority:
`etcdserver: request timed out`, and no server comes up.

## Example
Bad:
```
notify_master "/usr/bin/systemctl start rke2-server"
notify_backup "/usr/bin/systemctl stop rke2-server"
```

Good:
```
# no notify: all servers run, the VIP goes to a healthy one
```

## How to fix
Delete these lines and enable the service on all servers.

## How to verify
`systemctl is-active rke2-server` says active on all servers.

## References
k3s-io/k3s#6134.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK323", "vip-starts-server", Severity.ERROR, Reach.FILE, (Kind.KEEPALIVED,))
_KEYWORDS = ("notify", "notify_master", "notify_backup", "notify_fault", "notify_stop")
_ACTION = re.compile(
    r"\b(start|stop|restart|try-restart|kill|mask|enable|disable)\b.*"
    r"\b(rke2-server|rke2|k3s|kubelet|etcd|kube-apiserver)\b"
)


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Each command that follows the VIP."""
    conf = file.document
    for block in (*conf.blocks("vrrp_instance"), *conf.blocks("vrrp_sync_group")):
        for line in block.children:
            text = " ".join(word.text for word in line.words[1:])
            found = _ACTION.search(text) if line.keyword in _KEYWORDS else None
            if found is not None:
                yield RULE.finding(
                    line.span,
                    f"'{shown(found[2])}' runs only where the VIP is: etcd loses its majority",
                    help="delete this line; all servers must run",
                )
