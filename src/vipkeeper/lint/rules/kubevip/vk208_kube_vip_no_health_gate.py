"""kube-vip keeps the VIP where the API server is dead.

## What it does
Reports kube-vip in ARP mode that renews its lease through any API server (the usual DaemonSet), or in etcd, so that
the election says nothing about the API server of the holder. Silent with `lb_enable`, which checks it, and where
there is only one server.

## Why it is bad
The VIP becomes a black hole. In ARP mode kube-vip has no check of health: what drops a sick holder is only that it
cannot renew its lease. Through the Service address the lease is renewed by another server, for ever; clients of the
VIP get `connection refused` while two healthy servers wait.

## Example
Bad:
```yaml
apiVersion: apps/v1
kind: DaemonSet
spec:
  template:
    spec:
      hostNetwork: true
      serviceAccountName: kube-vip
      containers:
        - name: kube-vip
          image: ghcr.io/kube-vip/kube-vip:v1.2.3
          args: [manager]
          env:
            - {name: vip_arp, value: "true"}
            - {name: cp_enable, value: "true"}
            - {name: address, value: 10.10.10.100}
```

Good:
```yaml
apiVersion: apps/v1
kind: DaemonSet
spec:
  template:
    spec:
      hostNetwork: true
      hostAliases:
        - hostnames: [kubernetes]
          ip: 127.0.0.1
      containers:
        - name: kube-vip
          image: ghcr.io/kube-vip/kube-vip:v1.2.3
          args: [manager]
          env:
            - {name: vip_arp, value: "true"}
            - {name: cp_enable, value: "true"}
            - {name: address, value: 10.10.10.100}
          volumeMounts:
            - {name: kubeconfig, mountPath: /etc/kubernetes/admin.conf}
      volumes:
        - name: kubeconfig
          hostPath: {path: /etc/rancher/rke2/rke2.yaml, type: File}
```

## How to fix
Mount the kubeconfig of the server at `/etc/kubernetes/admin.conf` and let the host alias `kubernetes` be 127.0.0.1:
then the lease can only be renewed through the API server of the holder.

## How to verify
Stop the API server of the holder: after `vip_renewdeadline` its `ip addr` no longer shows the VIP.

## References
kube-vip/kube-vip#1786, kube-vip/kube-vip#1787, kube-vip/kube-vip#890.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.kubevip.api import Way, way
from vipkeeper.lint.scope import File

RULE = Rule("VK208", "kube-vip-no-health-gate", Severity.WARNING, Reach.FILE, KUBEVIP)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Whether anything ties the lease to the API server of the holder."""
    kubevip, facts = file.document, file.facts
    arp = kubevip.variable("vip_arp")
    if arp is None or not kubevip.uses_arp or not kubevip.is_true("cp_enable"):
        return
    single = facts.complete and len(facts.servers) == 1
    if single or kubevip.is_true("lb_enable"):
        return
    if way(kubevip) is Way.ETCD:
        yield RULE.finding(
            arp.span,
            "the election is in etcd: the VIP stays where the API server is dead",
            help="elect by the Lease of Kubernetes, through the API server of this host",
        )
    elif kubevip.is_daemonset and way(kubevip) is Way.CLUSTER:
        yield RULE.finding(
            arp.span,
            "the lease is renewed through any API server: the VIP stays where its own is dead",
            help="mount the server's kubeconfig at /etc/kubernetes/admin.conf, alias 'kubernetes' to 127.0.0.1",
        )
    elif kubevip.values and not any(map(kubevip.root.get, ("volumes", "extraVolumes"))):
        yield RULE.finding(
            arp.span,
            "the chart renews the lease through any API server: the VIP stays where its own is dead",
            help="give volumes, volumeMounts and hostAliases for the kubeconfig of the server",
            confidence=Confidence.LIKELY,
        )
