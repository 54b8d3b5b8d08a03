"""A server that joins has no token.

## What it does
Reports `server` without `token` or `token-file`, in files and environment.

## Why it is bad
A new server or agent exits with `token is required to join a cluster`. One that has joined before starts all the same, so this
is found when it is set up anew.

## Example
Bad:
```yaml
server: https://10.10.10.100:9345
```

Good:
```yaml
server: https://10.10.10.100:9345
token: abc
```

## How to fix
Copy /var/lib/rancher/rke2/server/token of the first server. If it is given as a flag of the unit, nothing is wrong.

## How to verify
`journalctl -u rke2-server | grep token` shows no complaint.

## References
k3s `pkg/clientaccess/token.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.compare import has_argument, shown_name
from vipkeeper.lint.facts import host_of
from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK126", "token-missing", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY)


def check(server: Server) -> Iterator[Finding]:
    """Whoever joins needs one of the two keys."""
    settings = server.settings
    value = settings.value("server")
    given = any(settings.value(key) for key in ("token", "token-file"))
    if value is None or given or settings.is_part or has_argument(server, "--token"):
        return
    if not value.text.startswith("https://") or has_argument(server, "--token-file"):
        return
    yield RULE.finding(
        value.span,
        f"{shown_name(server)} joins through {shown(host_of(value.text))} and has no token",
        help="token: what /var/lib/rancher/rke2/server/token of the first server holds"
        if settings.product is Product.RKE2
        else "token: what /var/lib/rancher/k3s/server/token of the first server holds",
    )
