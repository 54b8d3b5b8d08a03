"""Several kube-vip carry one name in the election.

## What it does
Reports a `vip_nodename` with a fixed value in a DaemonSet, or the same one on several servers.

## Why it is bad
Every server takes itself for the holder: the name is what the lease records. The VIP is on several servers at once;
connections break again and again, and the log shows `object has been modified`.

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
            - {name: vip_nodename, value: cp1}
```

Good:
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
            - name: vip_nodename
              valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
```

## How to fix
Take the name from the field `spec.nodeName`, or leave it out: the host name is used then.

## How to verify
`kubectl -n kube-system get lease plndr-cp-lock -o yaml` names the server that has the VIP, and only that one has it.

## References
kube-vip/kube-vip#663.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip, Variable
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK215", "kube-vip-same-identity", Severity.ERROR, Reach.CLUSTER, KUBEVIP)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Literal names in what runs on several servers."""
    seen: dict[str, Variable] = {}
    for kubevip in cluster.all(KubeVip):
        name = kubevip.variable("vip_nodename")
        if name is None or not name.text:
            continue
        if kubevip.is_daemonset or kubevip.values:
            yield RULE.finding(
                name.span,
                f"every server is '{shown(name.text)}' in the election: all hold the VIP at once",
                help="take it from fieldRef spec.nodeName, or leave it out",
            )
        elif name.text in seen:
            yield RULE.finding(
                name.span,
                f"two servers are '{shown(name.text)}' in the election: both hold the VIP at once",
                help="take it from fieldRef spec.nodeName, or leave it out",
                related=[Related(seen[name.text].span, "the same name")],
            )
        else:
            seen[name.text] = name
