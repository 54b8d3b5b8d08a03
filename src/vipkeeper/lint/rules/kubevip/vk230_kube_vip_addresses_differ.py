"""Static pods of kube-vip hold different VIPs by one lease.

## What it does
Reports static pods of several servers with the same lease name and different `address`.

## Why it is bad
The VIP that answers depends on who holds the lease: of two addresses one is always missing, and which one changes at
each move.

## Example
Bad:
```yaml
# cp1/var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
env:
  - {name: cp_enable, value: "true"}
  - {name: address, value: 10.10.10.100}

# cp2/var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
env:
  - {name: cp_enable, value: "true"}
  - {name: address, value: 10.10.10.101}
```

Good:
```yaml
# cp1 and cp2
env:
  - {name: cp_enable, value: "true"}
  - {name: address, value: 10.10.10.100}
```

## How to fix
Write the same address on all servers.

## How to verify
Delete the lease a few times: the same VIP answers after each move.

## References
kube-vip `pkg/cluster/cluster.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import Cluster

RULE = Rule(
    "VK230", "kube-vip-addresses-differ", Severity.ERROR, Reach.CLUSTER, (Kind.KUBEVIP_POD,)
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """The addresses of each lease."""
    first: dict[tuple[str, str], KubeVip] = {}
    for kubevip in cluster.all(KubeVip):
        if kubevip.kind is not Kind.KUBEVIP_POD or not kubevip.is_true("cp_enable"):
            continue
        if not kubevip.addresses:
            continue
        lease = (kubevip.text("cp_namespace"), kubevip.text("vip_leasename", "plndr-cp-lock"))
        other = first.setdefault(lease, kubevip)
        mine, theirs = (
            {text for text, _ in kubevip.addresses},
            {text for text, _ in other.addresses},
        )
        if mine != theirs:
            yield RULE.finding(
                kubevip.addresses[0][1],
                f"by the lease '{shown(lease[1])}' one server holds {_list(mine)}, another {_list(theirs)}",
                help="write the same address on all servers",
                related=[Related(other.addresses[0][1], "the other address")],
            )


def _list(addresses: set[str]) -> str:
    return ", ".join(shown(text) for text in sorted(addresses))
