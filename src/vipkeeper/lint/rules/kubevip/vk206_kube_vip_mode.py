"""kube-vip is told none of its modes, or several.

## What it does
Reports installations in which not exactly one of `vip_arp`, `bgp_enable`, `vip_routingtable` and `vip_wireguard` is
on. Helm values only where several are.

## Why it is bad
kube-vip exits at start, the container restarts for ever and nobody holds the VIP.

## Example
Bad:
```yaml
env:
  - {name: cp_enable, value: "true"}
  - {name: address, value: 10.10.10.100}
```

Good:
```yaml
env:
  - {name: vip_arp, value: "true"}
  - {name: cp_enable, value: "true"}
  - {name: address, value: 10.10.10.100}
```

## How to fix
Switch `vip_arp` on for a VIP in the network of the servers, `bgp_enable` where routers shall learn it.

## How to verify
`kubectl -n kube-system get pods` shows kube-vip running and not restarting.

## References
kube-vip `cmd/kube-vip.go`, `pkg/manager/manager.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK206", "kube-vip-mode", Severity.ERROR, Reach.FILE, KUBEVIP)
_MODES = ("vip_arp", "bgp_enable", "vip_wireguard", "vip_routingtable")


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Count the modes."""
    kubevip = file.document
    on = [found for name in _MODES if kubevip.is_true(name) and (found := kubevip.variable(name))]
    if len(on) > 1:
        words = " and ".join(variable.name.text for variable in on)
        yield RULE.finding(
            on[1].span,
            f"kube-vip exits at start: {words} are on, only one may be",
            help=f"switch one off; {on[0].name.text} alone is enough",
            related=[Related(on[0].span, "this mode is on")],
        )
    elif not on and kubevip.is_complete and kubevip.image is not None:
        yield RULE.finding(
            kubevip.image.span,
            "kube-vip exits at start: none of its modes is on",
            help='add {name: vip_arp, value: "true"}',
        )
