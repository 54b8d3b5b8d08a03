"""A key of k3s in the configuration of RKE2.

## What it does
Reports keys that k3s has and RKE2 has not. Where RKE2 does the same anyway (`cluster-init: true`), it is only worth knowing.

## Why it is bad
RKE2 logs `Unknown flag --flannel-iface found in config.yaml, skipping` and starts without the setting. Files copied from k3s
work at first sight: ports, interfaces and arguments of the controller manager are those of RKE2 all the same.

## Example
Bad:
```yaml
kube-controller-arg:
  - node-monitor-grace-period=20s
```

Good:
```yaml
kube-controller-manager-arg:
  - node-monitor-grace-period=20s
```

## How to fix
Rename the key where RKE2 has one of its own, otherwise remove it. The CNI is set by `cni` and a HelmChartConfig.

## How to verify
`journalctl -u rke2-server | grep 'Unknown flag'` finds nothing after a restart.

## References
RKE2 `pkg/cli/cmds/k3sopts.go`, `pkg/cli/defaults/defaults.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import RKE2
from vipkeeper.lint.rule import (
    Finding,
    Fix,
    Reach,
    Rule,
    Severity,
    remove_entry,
    replace,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK107", "k3s-only-key", Severity.ERROR, Reach.SERVER, RKE2)
_SO_ANYWAY = {
    "advertise-port": "6443",
    "apiserver-bind-address": "0.0.0.0",
    "apiserver-port": "6443",
    "cluster-init": "true",
    "disable-network-policy": "true",
    "flannel-backend": "none",
    "https-listen-port": "6443",
    "supervisor-port": "9345",
}
_INSTEAD = {
    "kube-controller-arg": "kube-controller-manager-arg",
    "kube-cloud-controller-arg": "kube-cloud-controller-manager-arg",
}


def check(server: Server) -> Iterator[Finding]:
    """Keys that RKE2 skips by name."""
    settings = server.settings
    if settings.product is not Product.RKE2:
        return
    for setting in settings:
        if setting.key is not None or setting.name not in settings.table.ignored:
            continue
        value = setting.value.text if setting.value else ""
        harmless = _SO_ANYWAY.get(setting.name) == value
        instead = _INSTEAD.get(setting.name)
        effect = "is so in RKE2 without it" if harmless else "has no effect in RKE2, which skips it"
        entry = setting.entry
        fix: Fix | None
        if instead:
            fix = replace(setting.span, instead, f"rename to '{instead}'")
        else:
            fix = remove_entry(entry, "remove the key") if entry else None
        yield RULE.finding(
            setting.span,
            f"'{setting.name}' is a key of k3s: it {effect}",
            help=f"write {instead}: ..." if instead else "remove the line",
            fix=fix,
            severity=Severity.INFO if harmless else None,
        )
