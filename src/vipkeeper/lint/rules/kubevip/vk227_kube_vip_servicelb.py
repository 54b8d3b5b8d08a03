"""kube-vip and ServiceLB serve the same Services.

## What it does
Reports `svc_enable` on k3s without `disable: servicelb`, and on RKE2 with `enable-servicelb`, unless kube-vip looks
at a class of its own.

## Why it is bad
ServiceLB writes the addresses of the servers into each Service; kube-vip takes these for VIPs and puts the own
addresses of all servers on the holder. Servers become unreachable.

## Example
Bad:
```yaml
# etc/rancher/k3s/config.yaml
disable: [traefik]

# var/lib/rancher/k3s/server/manifests/kube-vip.yaml
env:
  - {name: svc_enable, value: "true"}
```

Good:
```yaml
# etc/rancher/k3s/config.yaml
disable: [traefik, servicelb]

# var/lib/rancher/k3s/server/manifests/kube-vip.yaml
env:
  - {name: svc_enable, value: "true"}
```

## How to fix
Disable ServiceLB, or switch `svc_enable` off, or set `lb_class_only`.

## How to verify
`ip addr` of the holder shows no address of another server.

## References
kube-vip/kube-vip#1288, kube-vip/kube-vip#1016.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import Server

RULE = Rule("VK227", "kube-vip-servicelb", Severity.WARNING, Reach.SERVER, KUBEVIP)


def check(server: Server) -> Iterator[Finding]:
    """Whether both are on."""
    settings = server.settings
    if settings.start is None or server.is_agent:
        return
    disabled = {value.text for value in settings.values("disable")}
    off = "servicelb" in disabled or settings.is_true("disable-servicelb")
    k3s = settings.product is Product.K3S
    if off or (not k3s and not settings.is_true("enable-servicelb")):
        return
    for kubevip in server.all(KubeVip):
        variable = kubevip.variable("svc_enable")
        if variable and kubevip.is_true("svc_enable") and not kubevip.is_true("lb_class_only"):
            yield RULE.finding(
                variable.span,
                "kube-vip takes the addresses that ServiceLB writes, those of the servers, for VIPs",
                help="add 'servicelb' to disable, or set lb_class_only",
                related=[Related(settings.start, "ServiceLB is on here")],
            )
