"""A key that is deprecated.

## What it does
Reports keys that still work and will go away.

## Why it is bad
After the upgrade that removes it the key is skipped on a server with one line in the log, and what it set is gone.

## Example
Bad:
```yaml
helm-job-image: registry.example.org/klipper-helm:v0.9
```

Good:
```yaml
helm-controller-arg:
  - default-job-image=registry.example.org/klipper-helm:v0.9
```

## How to fix
Use what is named instead.

## How to verify
`journalctl -u rke2-server | grep -i deprecated` finds nothing.

## References
RKE2 and k3s `server --help`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK137", "deprecated-key", Severity.INFO, Reach.SERVER, SETTINGS)
_INSTEAD = {
    "helm-job-image": "helm-controller-arg: [default-job-image=...]",
    "kube-controller-arg": "kube-controller-manager-arg",
    "kube-cloud-controller-arg": "kube-cloud-controller-manager-arg",
}


def check(server: Server) -> Iterator[Finding]:
    """Every key; one is deprecated on agents only."""
    for setting in server.settings:
        if setting.key is None or not setting.key.deprecated:
            continue
        if setting.name == "system-default-registry" and not server.is_agent:
            continue
        instead = _INSTEAD.get(setting.name)
        yield RULE.finding(
            setting.span,
            f"'{setting.name}' is deprecated{'' if instead else ' on agents and has no effect there'}",
            help=f"write {instead}" if instead else "remove it; set it on the servers",
        )
