"""kube-vip does not find the host `kubernetes`, or finds the VIP under that name.

## What it does
Reports kube-vip with a kubeconfig at `/etc/kubernetes/admin.conf` and no host alias for `kubernetes`, or one that is
the VIP.

## Why it is bad
With that file kube-vip (v0.4.0 and newer) talks to `https://kubernetes:6443`, whatever the file says. Without the
alias its log says `lookup kubernetes: no such host`; with the VIP as alias it asks for the VIP through the VIP, which
nobody holds yet.

## Example
Bad:
```yaml
# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
apiVersion: v1
kind: Pod
spec:
  hostNetwork: true
  containers:
    - name: kube-vip
      image: ghcr.io/kube-vip/kube-vip:v1.2.3
      env:
        - {name: cp_enable, value: "true"}
      volumeMounts:
        - {name: kubeconfig, mountPath: /etc/kubernetes/admin.conf}
  volumes:
    - name: kubeconfig
      hostPath: {path: /etc/rancher/rke2/rke2.yaml, type: File}
```

Good:
```yaml
# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
apiVersion: v1
kind: Pod
spec:
  hostNetwork: true
  hostAliases:
    - hostnames: [kubernetes]
      ip: 127.0.0.1
  containers:
    - name: kube-vip
      image: ghcr.io/kube-vip/kube-vip:v1.2.3
      env:
        - {name: cp_enable, value: "true"}
      volumeMounts:
        - {name: kubeconfig, mountPath: /etc/kubernetes/admin.conf}
  volumes:
    - name: kubeconfig
      hostPath: {path: /etc/rancher/rke2/rke2.yaml, type: File}
```

## How to fix
Add the alias with 127.0.0.1, so that the lease also proves the API server of the holder; or set `kubernetes_addr`.

## How to verify
The log of kube-vip goes on to `attempting to acquire leader lease`.

## References
kube-vip/kube-vip#692, kube-vip/kube-vip#721; kube-vip `pkg/manager/manager.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity, Software, VersionRange
from vipkeeper.lint.rules.kubevip.api import ADMIN_CONF, Way, way
from vipkeeper.lint.scope import File

RULE = Rule(
    "VK214",
    "kube-vip-host-alias",
    Severity.ERROR,
    Reach.FILE,
    (
        Kind.KUBEVIP_POD,
        Kind.KUBEVIP_DAEMONSET,
    ),
    versions=(VersionRange(Software.KUBE_VIP, since="v0.4.0"),),
)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Look at the alias, where the name matters."""
    kubevip = file.document
    if way(kubevip) is not Way.ADMIN or not kubevip.is_true("cp_enable"):
        return
    mount, alias = kubevip.mount(ADMIN_CONF), kubevip.alias("kubernetes")
    if mount is None or kubevip.is_true("cp_detect"):
        return
    if alias is None and kubevip.mount("/etc/hosts") is None:
        yield RULE.finding(
            mount.path.span,
            "with this file kube-vip asks the host 'kubernetes', which no hostAliases names",
            help="add hostAliases: kubernetes is 127.0.0.1",
            confidence=Confidence.LIKELY,
        )
    elif alias is not None and file.facts.is_vip(alias.text):
        yield RULE.finding(
            alias.span,
            f"kube-vip asks for the VIP through the VIP, {shown(alias.text)}",
            help="let 'kubernetes' be 127.0.0.1",
        )
