"""kube-vip for the control plane may run on workers.

## What it does
Reports a DaemonSet of kube-vip with `cp_enable` that has neither a node selector nor a required node affinity. Silent
with IPVS load balancing by masquerade, which works on a worker.

## Why it is bad
A worker wins the election and answers for the VIP, but no API server listens there: `connection refused` for every
client.

## Example
Bad:
```yaml
apiVersion: apps/v1
kind: DaemonSet
spec:
  template:
    spec:
      hostNetwork: true
      containers:
        - name: kube-vip
          image: ghcr.io/kube-vip/kube-vip:v1.2.3
          env:
            - {name: cp_enable, value: "true"}
```

Good:
```yaml
apiVersion: apps/v1
kind: DaemonSet
spec:
  template:
    spec:
      hostNetwork: true
      nodeSelector:
        node-role.kubernetes.io/control-plane: "true"
      containers:
        - name: kube-vip
          image: ghcr.io/kube-vip/kube-vip:v1.2.3
          env:
            - {name: cp_enable, value: "true"}
```

## How to fix
Select the control plane; `kube-vip manifest daemonset --taint` writes an affinity. On kubeadm the label has an empty
value, so use an affinity with `operator: Exists`.

## How to verify
`kubectl -n kube-system get pods -o wide | grep kube-vip` names servers only.

## References
kube-vip/kube-vip#300.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK217", "kube-vip-on-workers", Severity.ERROR, Reach.FILE, (Kind.KUBEVIP_DAEMONSET,))
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Look at what selects the nodes."""
    kubevip = file.document
    pod = kubevip.pod
    if pod is None or kubevip.image is None or not kubevip.is_true("cp_enable"):
        return
    elsewhere = kubevip.is_true("lb_enable") and kubevip.text("lb_fwdmethod") == "masquerade"
    selected = pod.get("nodeSelector") or pod.at("affinity", "nodeAffinity", _REQUIRED)
    if selected is None and not elsewhere:
        yield RULE.finding(
            (kubevip.root.scalar("kind") or kubevip.image).span,
            "kube-vip may run on workers: the VIP goes where no API server is",
            help='add nodeSelector: {node-role.kubernetes.io/control-plane: "true"}',
            confidence=Confidence.LIKELY,
        )
