"""Two programs hold the same VIP.

## What it does
Reports a VIP of cluster.yaml that kube-vip or keepalived is told to hold as well.

## Why it is bad
Each puts the address where it wants: the VIP is on two servers at once, clients reach one or the other, and each program takes the
other's address for a fault.

## Example
Bad:
```yaml
# etc/vipkeeper/cluster.yaml
vip: 10.10.10.100
servers: {cp1: 10.10.10.11}

# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
env:
  - {name: cp_enable, value: "true"}
  - {name: address, value: 10.10.10.100}
```

Good:
```yaml
# etc/vipkeeper/cluster.yaml
vip: 10.10.10.100
servers: {cp1: 10.10.10.11}
```

## How to fix
Remove the other program, or give it another address.

## How to verify
`arping -c 3 VIP` from another machine is answered with one MAC address.

## References
kube-vip/kube-vip#1385.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Span
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.parsers.own import OwnConfig
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, as_address

RULE = Rule(
    "VK702",
    "vipkeeper-beside-manager",
    Severity.ERROR,
    Reach.CLUSTER,
    (Kind.OWN_CONFIG,),
    Confidence.LIKELY,
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each of our VIPs against every address of the others."""
    own = {as_address(vip.text): vip.span for conf in cluster.all(OwnConfig) for vip in conf.vips}
    for text, span, name in _others(cluster):
        address = as_address(text)
        place = own.get(address) if address is not None else None
        if place is not None:
            yield RULE.finding(
                span,
                f"{name} holds {address}, and vipkeeper is to hold it too",
                help=f"remove {name}, or give it another address",
                related=[Related(place, "'vip' of cluster.yaml")],
            )


def _others(cluster: Cluster) -> Iterator[tuple[str, Span, str]]:
    for kubevip in cluster.all(KubeVip):
        for text, span in kubevip.addresses:
            yield text, span, "kube-vip"
    for keepalived in cluster.all(Keepalived):
        for instance in keepalived.instances:
            for word in instance.vips:
                yield word.text, word.span, "keepalived"
