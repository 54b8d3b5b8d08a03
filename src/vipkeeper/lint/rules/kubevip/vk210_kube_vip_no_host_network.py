"""kube-vip does not use the network of the host.

## What it does
Reports a Pod or DaemonSet of kube-vip without `hostNetwork: true`.

## Why it is bad
kube-vip puts the VIP on a card of its own pod, where nobody outside reaches it, and does not find the one named by
`vip_interface`: `could not get link for interface`.

## Example
Bad:
```yaml
apiVersion: v1
kind: Pod
spec:
  containers:
    - name: kube-vip
      image: ghcr.io/kube-vip/kube-vip:v1.2.3
      env:
        - {name: cp_enable, value: "true"}
```

Good:
```yaml
apiVersion: v1
kind: Pod
spec:
  hostNetwork: true
  containers:
    - name: kube-vip
      image: ghcr.io/kube-vip/kube-vip:v1.2.3
      env:
        - {name: cp_enable, value: "true"}
```

## How to fix
Add `hostNetwork: true` to the specification of the pod.

## How to verify
`ip addr` of the holder shows the VIP.

## References
kube-vip `pkg/kubevip/config_generator.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File
from vipkeeper.lint.yaml11 import resolve

RULE = Rule(
    "VK210",
    "kube-vip-no-host-network",
    Severity.ERROR,
    Reach.FILE,
    (
        Kind.KUBEVIP_POD,
        Kind.KUBEVIP_DAEMONSET,
    ),
)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Look at hostNetwork."""
    pod = file.document.pod
    if pod is None:
        return
    given = pod.scalar("hostNetwork")
    if given is None or resolve(given).text != "true":
        yield RULE.finding(
            (given or pod).span,
            "kube-vip has a network of its own: the VIP is on no card of the host",
            help="add hostNetwork: true",
        )
