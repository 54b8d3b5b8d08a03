"""kube-vip holds another address than the VIP, or different ones by one lease.

## What it does
Reports Pods, DaemonSets and Helm values with the same lease name and different `address`. Where `--vip` says
which address is the VIP, and no kube-vip has it, reports the one that has another.

## Why it is bad
The VIP that answers depends on who holds the lease: of two addresses one is always missing, and which one changes at
each move. An address that is not the VIP answers where nobody asks, and nothing holds the VIP.

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
Write the VIP as `address`, the same on all servers and in every file.

## How to verify
Delete the lease a few times: the same VIP answers after each move.

## References
kube-vip `pkg/cluster/cluster.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import Cluster, as_address

RULE = Rule("VK230", "kube-vip-addresses-differ", Severity.ERROR, Reach.CLUSTER, KUBEVIP)


def check(cluster: Cluster) -> Iterator[Finding]:
    """The addresses of each lease, and those of all against the VIP."""
    first: dict[tuple[str, str], KubeVip] = {}
    holders = [k for k in cluster.all(KubeVip) if k.is_true("cp_enable") and k.addresses]
    for kubevip in holders:
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
    yield from _others(cluster, holders)


def _others(cluster: Cluster, holders: list[KubeVip]) -> Iterator[Finding]:
    """Those with another address than the VIP, if none has the VIP; one with the name of a host is not judged."""
    held = {as_address(text) for kubevip in holders for text, _ in kubevip.addresses}
    if None in held or held & {vip.address for vip in cluster.facts.vips}:
        return
    for kubevip in holders:
        for vip in (vip for vip in cluster.facts.vips[:1] if vip.origin == "--vip"):
            addresses = {text for text, _ in kubevip.addresses}
            yield RULE.finding(
                kubevip.addresses[0][1],
                f"kube-vip holds {_list(addresses)}; the VIP is {vip} ({vip.origin})",
                help=f"write address {vip}, unless vipkeeper is to hold that one",
                confidence=Confidence.LIKELY,
                severity=Severity.WARNING,
            )


def _list(addresses: set[str]) -> str:
    return ", ".join(shown(text) for text in sorted(addresses))
