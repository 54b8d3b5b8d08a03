"""Servers have different tokens.

## What it does
Reports servers whose `token` is not that of most. A full token (`K10...::server:abc`) and its last part are the same.

## Why it is bad
A new server with another token cannot join: `401 Unauthorized`. One that has joined does not start again after its token was
changed: `bootstrap data already found and encrypted with different token`.

## Example
Bad:
```yaml
# cp1
token: abc
# cp2
token: abd
```

Good:
```yaml
# cp1 and cp2
token: abc
```

## How to fix
Write the token that the cluster was made with on every server. It is changed by `rke2 token rotate`, not in the files.

## How to verify
`sha256sum /var/lib/rancher/rke2/server/token` is the same on every server.

## References
k3s-io/k3s#4640, rancher/rke2#2410.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import Held, deviations, proven_servers, shown_name
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, Server

RULE = Rule("VK607", "token-differs", Severity.ERROR, Reach.CLUSTER, SETTINGS)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Compare the passwords; never printed."""
    for found in deviations(proven_servers(cluster), _held):
        yield RULE.finding(
            found.span,
            f"the tokens of {found.who} differ",
            help="write the token that the cluster was made with on every server",
            related=[Related(found.other_span, f"the token of {shown_name(found.other)}")],
        )


def _held(server: Server) -> Held | None:
    value = server.settings.value("token")
    if value is None or server.settings.value("token-file"):
        return None
    text = value.text
    if text.startswith("K10") and "::" in text:
        _, _, login = text.partition("::")
        text = login.partition(":")[2] or login
    return Held(text, value.span)
