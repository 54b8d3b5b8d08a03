"""A value that should be the same on all servers differs, and nobody checks it.

## What it does
Reports servers whose `cni`, `ingress-controller`, `disable-kube-proxy`, `system-default-registry` or `agent-token` is not that of most.

## Why it is bad
Each server writes what it is told into the cluster when it starts. With different values they undo each other: two CNIs are installed
side by side, the ingress controller is removed at every restart of another server, agents that came through one server are
refused by the next.

## Example
Bad:
```yaml
# cp1
cni: cilium
# cp2: no cni, which means canal
```

Good:
```yaml
# cp1 and cp2
cni: cilium
```

## How to fix
Write the same value on every server, best in a drop-in that all of them have.

## How to verify
`kubectl -n kube-system get helmcharts` stays the same while the servers are restarted one after the other.

## References
rancher/rke2#5165, rancher/rke2#10501.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.compare import Held, deviations, proven_servers, shown_name
from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, Server

RULE = Rule(
    "VK606", "unchecked-value-differs", Severity.ERROR, Reach.CLUSTER, SETTINGS, Confidence.LIKELY
)
_DEFAULTS = {"cni": "canal", "disable-kube-proxy": "false"}
_SECRET = ("agent-token",)
_MILD = ("system-default-registry",)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Keys that must be the same by what they do."""
    servers = proven_servers(cluster)
    for name in ("cni", "ingress-controller", "disable-kube-proxy", "system-default-registry"):
        yield from _differences(servers, name)
    yield from _differences(servers, "agent-token")


def _differences(servers: tuple[Server, ...], name: str) -> Iterator[Finding]:
    for found in deviations(servers, lambda server: _held(server, name)):
        texts = f"{shown(found.held.text)} and {shown(found.common.text)}"
        what = "not shown" if name in _SECRET else texts
        yield RULE.finding(
            found.span,
            f"'{name}' of {found.who} differ: {what}",
            help="write the same on every server",
            related=[Related(found.other_span, f"'{name}' of {shown_name(found.other)}")],
            severity=Severity.WARNING if name in _MILD else None,
        )


def _held(server: Server, name: str) -> Held | None:
    setting = server.settings.get(name)
    if name == "cni" and server.settings.product is not Product.RKE2:
        return None
    if setting is None or setting.value is None:
        return Held(_DEFAULTS.get(name, "none"))
    if setting.key is not None and setting.key.type == "bool":
        return Held(str(server.settings.is_true(name)).lower(), setting.span)
    return Held(",".join(value.text for value in setting.values), setting.span)
