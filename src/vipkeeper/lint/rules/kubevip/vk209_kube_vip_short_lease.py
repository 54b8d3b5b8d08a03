"""The lease of kube-vip ends before etcd has a new leader.

## What it does
Reports a `vip_renewdeadline` (given, or by default before v1.1.0) of less than 8 seconds on servers with the embedded
etcd of RKE2 or k3s.

## Why it is bad
Whenever the etcd leader dies, healthy servers drop the VIP. RKE2 sets an election timeout of 5 seconds; writes
succeed again 5 to 8 seconds after the loss of the leader. A lease that must be renewed within 3 seconds is lost in
that time: `failed to renew lease kube-system/plndr-cp-lock`.

## Example
Bad:
```yaml
# etc/rancher/rke2/config.yaml
token: abc

# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
env:
  - {name: vip_arp, value: "true"}
  - {name: cp_enable, value: "true"}
  - {name: vip_leaseduration, value: "5"}
  - {name: vip_renewdeadline, value: "3"}
  - {name: vip_retryperiod, value: "1"}
```

Good:
```yaml
# etc/rancher/rke2/config.yaml
token: abc

# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
env:
  - {name: vip_arp, value: "true"}
  - {name: cp_enable, value: "true"}
  - {name: vip_leaseduration, value: "15"}
  - {name: vip_renewdeadline, value: "10"}
  - {name: vip_retryperiod, value: "2"}
```

## How to fix
Take 15, 10 and 2, the defaults since v1.1.0. A real loss of the holder then costs about 16 seconds.

## How to verify
Stop the server whose etcd leads: the VIP stays where it is.

## References
rancher/rke2 `pkg/cli/defaults`; k3s `pkg/etcd/etcd.go` (ElectionTimeout); kube-vip/kube-vip#453,
kube-vip/kube-vip#1429.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity, Software, VersionRange
from vipkeeper.lint.rules.kubevip.api import Way, way
from vipkeeper.lint.scope import Server

_SHORT_BY_DEFAULT = VersionRange(Software.KUBE_VIP, before="v1.1.0")
RULE = Rule(
    "VK209",
    "kube-vip-short-lease",
    Severity.WARNING,
    Reach.SERVER,
    KUBEVIP,
    versions=(VersionRange(Software.KUBE_VIP), _SHORT_BY_DEFAULT),
)
_NEEDED = 8


def check(server: Server) -> Iterator[Finding]:
    """The renew deadline on servers with embedded etcd."""
    settings = server.settings
    outside = "datastore-endpoint" in settings
    etcd = settings.product is Product.RKE2 or settings.is_true("cluster-init") or server.joins
    if not settings.files or server.is_agent or outside or not etcd:
        return
    for kubevip in server.all(KubeVip):
        where = kubevip.variable("vip_renewdeadline")
        renew = kubevip.number("vip_renewdeadline", 3)
        place = where.span if where else None
        if place is None and kubevip.image is not None and kubevip.version is not None:
            place = kubevip.image.span
        if renew >= _NEEDED or place is None or way(kubevip) is Way.ETCD or not _elects(kubevip):
            continue
        given = "" if where else " (the default of this release)"
        yield RULE.finding(
            place,
            f"kube-vip drops the VIP after {renew} s without etcd{given}; its election takes 5 to 8 s",
            help="set vip_leaseduration 15, vip_renewdeadline 10, vip_retryperiod 2",
            versions=() if where else (_SHORT_BY_DEFAULT,),
        )


def _elects(kubevip: KubeVip) -> bool:
    return kubevip.is_true("cp_enable") and (
        kubevip.uses_arp or kubevip.is_true("vip_leaderelection")
    )
