"""A health check that kube-vip does not make.

## What it does
Reports `control_plane_health_check_address` in ARP mode.

## Why it is bad
The check only exists for BGP and routing tables. In ARP mode the setting is ignored and the VIP stays where the API
server is dead.

## Example
Bad:
```yaml
env:
  - {name: vip_arp, value: "true"}
  - {name: control_plane_health_check_address, value: "https://127.0.0.1:6443/livez"}
```

Good:
```yaml
env:
  - {name: vip_arp, value: "true"}
# and a kubeconfig through 127.0.0.1: see VK208
```

## How to fix
Delete it. In ARP mode let the lease be renewed through the API server of the holder (VK208).

## How to verify
Stop the API server of the holder: after `vip_renewdeadline` its `ip addr` no longer shows the VIP.

## References
kube-vip/kube-vip#1498, kube-vip/kube-vip#1787; kube-vip `pkg/cluster/service.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK222", "kube-vip-check-ignored", Severity.WARNING, Reach.FILE, KUBEVIP)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """The address of the check, in ARP mode."""
    variable = file.document.variable("control_plane_health_check_address")
    arp = file.document.variable("vip_arp")
    if variable is not None and variable.text and arp is not None and file.document.uses_arp:
        yield RULE.finding(
            variable.name.span,
            "kube-vip makes this check for BGP and routing tables only, not in ARP mode",
            help="delete it; tie the lease to the API server of this host (VK208)",
            related=[Related(arp.span, "ARP mode is on")],
        )
