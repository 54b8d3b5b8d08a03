"""A reset of the cluster stands in a file.

## What it does
Reports `cluster-reset: true` and `cluster-reset-restore-path` in config.yaml, a drop-in or an environment file.

## Why it is bad
A file is read at every start. The reset makes a cluster of one member out of this server's data; the next start stops with `Managed
etcd cluster membership was previously reset, please remove the cluster-reset flag`, so the server is down after the
next reboot, and the other members no longer belong to it. With `server` it does not even run once.

## Example
Bad:
```yaml
cluster-reset: true
token: abc
```

Good:
```yaml
token: abc
```

## How to fix
Remove the line. Run `rke2 server --cluster-reset` once by hand, with the service stopped.

## How to verify
`grep -r cluster-reset /etc/rancher /etc/default` finds nothing.

## References
rancher/rke2#3178, k3s-io/k3s#8488.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
    remove_entry,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK119", "reset-in-file", Severity.ERROR, Reach.SERVER, SETTINGS)


def check(server: Server) -> Iterator[Finding]:
    """Keys that are for the command line alone."""
    for setting in server.settings:
        value = setting.value
        if setting.key is None or not setting.key.flag_only or value is None:
            continue
        if setting.key.type == "bool" and not server.settings.is_true(setting.name):
            continue
        yield RULE.finding(
            setting.span,
            f"'{setting.name}' in a file is done at every start",
            help="remove it; run the reset once, by hand, with the service stopped",
            fix=remove_entry(setting.entry, f"remove '{setting.name}'") if setting.entry else None,
        )
