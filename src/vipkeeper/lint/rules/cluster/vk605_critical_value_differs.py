"""A value that must be the same on all servers differs.

## What it does
Reports servers whose `cluster-cidr`, `service-cidr`, `cluster-dns`, `cluster-domain` or another value that a joining server compares is
not that of most. A key that is left out counts with its default.

## Why it is bad
The server cannot join: `critical configuration mismatched: cluster-cidr`, then `failed to validate server configuration: critical
configuration value mismatch between servers`. After joining nobody compares again: pods get addresses that others do not
route.

## Example
Bad:
```yaml
# cp1
cluster-cidr: 10.44.0.0/16
# cp2: no cluster-cidr
```

Good:
```yaml
# cp1 and cp2
cluster-cidr: 10.44.0.0/16
```

## How to fix
Write the same value on every server, best in a drop-in that all of them have.

## How to verify
`journalctl -u rke2-server | grep mismatch` finds nothing on a server that joins.

## References
k3s `pkg/daemons/config/types.go` (CriticalControlArgs); k3s-io/k3s#4677, k3s-io/k3s#12745.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.compare import Held, deviations, proven_servers, shown_name
from vipkeeper.lint.keys import Critical, Key, Product
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.networks import NETWORK_KEYS, networks
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, Server

RULE = Rule("VK605", "critical-value-differs", Severity.ERROR, Reach.CLUSTER, SETTINGS)
_DEFAULTS = {
    "cluster-domain": "cluster.local",
    "egress-selector-mode": "agent",
    "secrets-encryption-provider": "aescbc",
    "flannel-backend": "vxlan",
}
_FIXED_BY_RKE2 = ("secrets-encryption",)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Every key that is compared at a join, among servers of one product."""
    for product in Product:
        servers = [s for s in proven_servers(cluster) if s.settings.product is product]
        keys = servers[0].settings.table.keys.values() if servers else ()
        for key in keys:
            fixed = product is Product.RKE2 and key.name in _FIXED_BY_RKE2
            if key.critical is Critical.VALIDATED and not fixed:
                yield from _differences(servers, key)


def _differences(servers: list[Server], key: Key) -> Iterator[Finding]:
    for found in deviations(servers, lambda server: _held(server, key)):
        yield RULE.finding(
            found.span,
            f"'{key.name}' of {found.who} differ: {shown(found.held.text)} and {shown(found.common.text)}",
            help=f"write {key.name}: {shown(found.common.text)} on every server",
            related=[Related(found.other_span, f"'{key.name}' of {shown_name(found.other)}")],
        )


def _held(server: Server, key: Key) -> Held | None:
    settings = server.settings
    setting = settings.get(key.name)
    if key.name in NETWORK_KEYS:
        found = networks(settings, key.name)
        return Held(",".join(str(n.network) for n in found), setting.span if setting else None)
    if setting is None or setting.value is None:
        if key.name == "cluster-dns":
            return None
        return Held("false" if key.type == "bool" else _DEFAULTS.get(key.name, "none"))
    if key.type == "bool":
        return Held(str(settings.is_true(key.name)).lower(), setting.span)
    return Held(",".join(value.text for value in setting.values), setting.span)
