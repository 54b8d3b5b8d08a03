"""`cluster-cidr` or `service-cidr` is no network that can be used.

## What it does
Reports values that are no network, and networks whose size the API server or the controller manager refuses.

## Why it is bad
The server does not start: `invalid CIDR address`, or kube-apiserver before v1.34 exits with `specified --service-cluster-ip-range is
too large`, or kube-controller-manager with `the mask size of cluster CIDR must be less than or equal to --node-cidr-mask-size`.

## Example
Bad:
```yaml
service-cidr: 10.96.0.0/10
```

Good:
```yaml
service-cidr: 10.96.0.0/12
```

## How to fix
Services: /12 or smaller, for IPv6 /108 or smaller; since v1.34 (feature gates MultiCIDRServiceAllocator and
DisableAllocatorDualWrite) kube-apiserver takes larger ones. Pods: each node takes a /24 (IPv6: /64) of it, so /8 to /24 (/48 to /64), unless
`kube-controller-manager-arg` sets `node-cidr-mask-size`.

## How to verify
The server starts, and `kubectl get nodes -o jsonpath='{.items[*].spec.podCIDRs}'` is not empty.

## References
rancher/rke2-docs#113; kube-apiserver `cmd/kube-apiserver/app/options/validation.go`, kube-controller-manager `--node-cidr-mask-size`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.networks import NETWORK_KEYS, as_network
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK113", "bad-cluster-network", Severity.ERROR, Reach.SERVER, SETTINGS)
_SERVICES = {4: 12, 6: 108}
_PODS = {4: range(8, 25), 6: range(48, 65)}


def check(server: Server) -> Iterator[Finding]:
    """Form and size of each network."""
    settings = server.settings
    arguments = (
        *settings.values("kube-controller-manager-arg"),
        *settings.values("kube-controller-arg"),
    )
    own_size = any(value.text.startswith("node-cidr-mask-size") for value in arguments)
    for key in NETWORK_KEYS:
        for value in settings.values(key):
            network = as_network(value.text)
            if network is None:
                if value.text:
                    message = f"'{key}' is a network such as 10.44.0.0/16, and '{shown(value.text)}' is none"
                    yield RULE.finding(value.span, message)
                continue
            size, family = network.prefixlen, network.version
            if key == "service-cidr" and size < _SERVICES[family]:
                limit = _SERVICES[family]
                message = f"'service-cidr' {network} is too large before Kubernetes v1.34: /{limit} or smaller"
                yield RULE.finding(
                    value.span,
                    message,
                    help=f"write {network.network_address}/{limit}",
                    confidence=Confidence.POSSIBLE,
                )
            elif key == "cluster-cidr" and size not in _PODS[family] and not own_size:
                sizes = _PODS[family]
                message = (
                    f"'cluster-cidr' {network}: each node takes a /{sizes[-1]} of it, which needs "
                    f"/{sizes[0]} to /{sizes[-1]}"
                )
                yield RULE.finding(value.span, message, confidence=Confidence.LIKELY)
