"""Two programs hold the same VIP.

## What it does
Reports a VIP that two of kube-vip, keepalived and vipkeeper hold, and kube-vip both as DaemonSet and as static pod
with different lease names.

## Why it is bad
Each has its own election and knows nothing of the other: two servers answer for the VIP, and when both are on one
server the one that leaves takes the address away from the other.

## Example
Bad:
```yaml
# etc/keepalived/keepalived.conf
virtual_ipaddress {
    10.10.10.100
}

# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
env:
  - {name: cp_enable, value: "true"}
  - {name: address, value: 10.10.10.100}
```

Good:
```yaml
# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
env:
  - {name: cp_enable, value: "true"}
  - {name: address, value: 10.10.10.100}
```

## How to fix
Keep one of them, and stop the other on every server before.

## How to verify
`arping -D -I eth0 VIP` from another host gets answers of one MAC.

## References
kube-vip/kube-vip#996, kube-vip/kube-vip#1385.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Span, shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.parsers.own import OwnConfig
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import Cluster, IPAddress, as_address

RULE = Rule(
    "VK229",
    "two-managers",
    Severity.ERROR,
    Reach.CLUSTER,
    (
        Kind.KUBEVIP_POD,
        Kind.KUBEVIP_DAEMONSET,
        Kind.KUBEVIP_VALUES,
        Kind.KUBEVIP_CHART,
        Kind.KEEPALIVED,
        Kind.OWN_CONFIG,
    ),
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """The first holder of each address against those of other kinds."""
    first: dict[IPAddress, tuple[str, Span]] = {}
    for who, text, span in _holders(cluster):
        address = as_address(text)
        if address is None:
            continue
        other, place = first.setdefault(address, (who, span))
        if other != who:
            yield RULE.finding(
                span,
                f"{who} and {other} both hold {address}, each by its own election",
                help="keep one of them",
                related=[Related(place, f"{other} holds it too")],
            )


def _holders(cluster: Cluster) -> Iterator[tuple[str, str, Span]]:
    for own in cluster.all(OwnConfig):
        yield from (("vipkeeper", vip.text, vip.span) for vip in own.vips)
    for kubevip in cluster.all(KubeVip):
        if kubevip.is_true("cp_enable"):
            lease = kubevip.text("vip_leasename", "plndr-cp-lock")
            who = (
                "kube-vip" if lease == "plndr-cp-lock" else f"kube-vip with lease '{shown(lease)}'"
            )
            yield from ((who, text, span) for text, span in kubevip.addresses)
    for keepalived in cluster.all(Keepalived):
        for instance in keepalived.instances:
            yield from (("keepalived", word.text, word.span) for word in instance.vips)
