"""A Service or an address pool has the VIP of the control plane.

## What it does
Reports Services with the VIP as address (`loadBalancerIP`, annotations of kube-vip and MetalLB, `externalIPs`), and
pools of MetalLB, Cilium and the kube-vip cloud provider that contain it.

## Why it is bad
kube-proxy or Cilium sends what goes to that address to the Service, on every node: agents no longer reach the API
through the VIP. In ARP mode a second server may answer for it.

## Example
Bad:
```yaml
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: services, namespace: metallb-system}
spec:
  addresses: [10.10.10.100-10.10.10.120]
```

Good:
```yaml
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: services, namespace: metallb-system}
spec:
  addresses: [10.10.10.101-10.10.10.120]
```

## How to fix
Take another address for the Service; leave the VIP out of every pool.

## How to verify
`kubectl get svc -A -o wide` does not show the VIP.

## References
kube-vip/kube-vip#665, kube-vip/kube-vip#947; rancher/rke2#6208.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from vipkeeper.config.tree import Mapping, Scalar, shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubernetes import KubeObject
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File, IPAddress, as_address

RULE = Rule("VK231", "vip-as-service", Severity.ERROR, Reach.FILE, (Kind.OBJECT,))
_ANNOTATIONS = (
    "kube-vip.io/loadbalancerIPs",
    "metallb.universe.tf/loadBalancerIPs",
    "metallb.io/loadBalancerIPs",
    "lbipam.cilium.io/ips",
    "io.cilium/lb-ipam-ips",
)


def check(file: File[KubeObject]) -> Iterator[Finding]:
    """The addresses that a Service has, or a pool gives."""
    document, facts = file.document, file.facts
    if document.object_kind == "Service":
        for scalar in _service(document.root):
            for part in scalar.text.split(","):
                if facts.is_vip(part):
                    yield RULE.finding(
                        scalar.span,
                        f"the Service '{shown(document.name)}' has the VIP, {part.strip()}",
                        help="take another address",
                    )
    for scalar, start, stop in _ranges(document):
        for vip in facts.vips:
            same = start is not None and vip.address.version == start.version
            if same and int(start or 0) <= int(vip.address) <= int(stop or start or 0):
                yield RULE.finding(
                    scalar.span,
                    f"the pool '{shown(document.name)}' contains the VIP, {vip}",
                    help="leave the VIP out",
                    severity=Severity.WARNING,
                )


def _service(root: Mapping) -> Iterator[Scalar]:
    kind = root.scalar("spec", "type")
    if kind is not None and kind.text == "LoadBalancer":
        paths = [("metadata", "annotations", name) for name in _ANNOTATIONS]
        found = (root.scalar(*path) for path in [("spec", "loadBalancerIP"), *paths])
        yield from (scalar for scalar in found if scalar is not None)
    yield from (item for item in root.items("spec", "externalIPs") if isinstance(item, Scalar))


def _ranges(
    document: KubeObject,
) -> Iterator[tuple[Scalar, IPAddress | None, IPAddress | None]]:
    """Each range of a pool with its first and last address."""
    root, kind = document.root, document.object_kind
    if kind == "IPAddressPool":
        for item in root.items("spec", "addresses"):
            if isinstance(item, Scalar):
                yield item, *_range(item.text)
    elif kind == "CiliumLoadBalancerIPPool":
        for block in root.items("spec", "blocks"):
            cidr = block.scalar("cidr") if isinstance(block, Mapping) else None
            start = block.scalar("start") if isinstance(block, Mapping) else None
            stop = block.scalar("stop") if isinstance(block, Mapping) else None
            if cidr is not None:
                yield cidr, *_range(cidr.text)
            elif start is not None and stop is not None:
                yield start, as_address(start.text), as_address(stop.text)
    elif kind == "ConfigMap" and document.name == "kubevip":
        data = root.mapping("data")
        for entry in data.entries if data is not None else ():
            if isinstance(entry.value, Scalar) and entry.key.text.startswith(("range-", "cidr-")):
                for part in entry.value.text.split(","):
                    yield entry.value, *_range(part)


def _range(text: str) -> tuple[IPAddress | None, IPAddress | None]:
    first, dash, last = text.partition("-")
    if dash:
        return as_address(first), as_address(last)
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        return None, None
    return network[0], network[-1]
