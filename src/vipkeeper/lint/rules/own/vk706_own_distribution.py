"""`distribution` of cluster.yaml is not what runs.

## What it does
Reports `distribution` that names another product than the one whose configuration is there, and `none` without checks.

## Why it is bad
The health checks are those of the other product: with `rke2` on k3s the supervisor on 9345 never answers, so no server is ever ready and
the VIP stays where it is, dead or alive. With `none` and no checks every server counts as ready.

## Example
Bad:
```yaml
# etc/vipkeeper/cluster.yaml
distribution: rke2

# etc/rancher/k3s/config.yaml
token: abc
```

Good:
```yaml
# etc/vipkeeper/cluster.yaml
distribution: k3s

# etc/rancher/k3s/config.yaml
token: abc
```

## How to fix
Name the product that runs: rke2, k3s or kubeadm.

## How to verify
`vipkeeper status` shows the servers as ready.

## References
docs/health-checks.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.own import OwnConfig
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK706", "own-distribution", Severity.ERROR, Reach.SERVER, (Kind.OWN_CONFIG,))


def check(server: Server) -> Iterator[Finding]:
    """Compare with the product of the settings."""
    settings = server.settings
    for conf in server.all(OwnConfig):
        word = conf.root.scalar("distribution")
        said = word.text if word else "rke2"
        runs = settings.product.value
        if conf.root.get("checks") is not None or settings.start is None:
            continue
        if said == runs:
            continue
        yield RULE.finding(
            word.span if word else conf.source.start,
            f"'distribution' is {shown(said)}{'' if word else ' by default'}, and {runs} runs here",
            help=f"distribution: {runs}",
            related=[Related(settings.start, f"configuration of {settings.product.title}")],
            severity=Severity.WARNING if said == "none" else None,
        )
