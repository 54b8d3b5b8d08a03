"""A value that the key does not know.

## What it does
Reports values of keys that take one of a few words: `egress-selector-mode`, `ingress-controller`, `flannel-backend`,
`secrets-encryption-provider`, `profile`, `etcd-s3-bucket-lookup-type`. (`cni` is VK121's.)

## Why it is bad
The server exits at start, or the part that reads the word does nothing. Words of old releases (`profile: cis-1.6`,
`flannel-backend: wireguard`) stop working at an upgrade.

## Example
Bad:
```yaml
secrets-encryption-provider: aesgcm
```

Good:
```yaml
secrets-encryption-provider: secretbox
```

## How to fix
Use one of the words that are named.

## How to verify
`systemctl status rke2-server` is `active` after a restart.

## References
RKE2 `pkg/cli/cmds/server.go`, k3s `pkg/cli/cmds/server.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK136", "unknown-value", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY)


def check(server: Server) -> Iterator[Finding]:
    """Every value of a key with a list of words."""
    for setting in server.settings:
        key = setting.key
        if key is None or not key.values or key.name == "cni":
            continue
        for value in setting.values:
            word = value.text.partition("=")[0]
            if not word or word in key.values:
                continue
            old = key.name == "profile" and word.startswith("cis-")
            message = f"'{key.name}' knows no '{shown(word)}'"
            yield RULE.finding(
                value.span,
                f"{message}{' in newer releases' if old else ''}",
                help=f"one of {', '.join(key.values)}",
                severity=Severity.WARNING if old else None,
            )
