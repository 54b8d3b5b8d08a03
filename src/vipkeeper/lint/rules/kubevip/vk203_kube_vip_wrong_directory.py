"""kube-vip lies in a directory where it does not run as meant.

## What it does
Reports a Pod of kube-vip in `server/manifests`, a DaemonSet among static pods, and a Pod in
`/etc/kubernetes/manifests` of a server of RKE2 or k3s.

## Why it is bad
There is one copy of it, or none. A Pod in `server/manifests` is applied to the cluster as one object: it runs on one
server, and when that server dies the VIP dies with it. A kubelet ignores a DaemonSet among its static pods. RKE2 does
not read `/etc/kubernetes/manifests`.

## Example
Bad:
```yaml
# var/lib/rancher/rke2/server/manifests/kube-vip.yaml
apiVersion: v1
kind: Pod
metadata: {name: kube-vip, namespace: kube-system}
spec:
  hostNetwork: true
  containers:
    - {name: kube-vip, image: ghcr.io/kube-vip/kube-vip:v1.2.3, args: [manager]}
```

Good:
```yaml
# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml, on every server
apiVersion: v1
kind: Pod
metadata: {name: kube-vip, namespace: kube-system}
spec:
  hostNetwork: true
  containers:
    - {name: kube-vip, image: ghcr.io/kube-vip/kube-vip:v1.2.3, args: [manager]}
```

## How to fix
Put a Pod into `/var/lib/rancher/rke2/agent/pod-manifests/` of every server (k3s:
`/var/lib/rancher/k3s/agent/pod-manifests/`, kubeadm: `/etc/kubernetes/manifests/`). A DaemonSet, with its RBAC,
belongs into `server/manifests`.

## How to verify
`kubectl -n kube-system get pods -o wide | grep kube-vip` shows one for each server.

## References
rancher/turtles#1456; kube-vip/kube-vip#721.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind, Place
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule(
    "VK203",
    "kube-vip-wrong-directory",
    Severity.ERROR,
    Reach.FILE,
    (
        Kind.KUBEVIP_POD,
        Kind.KUBEVIP_DAEMONSET,
    ),
)
_STATIC = (Place.POD_MANIFESTS, Place.KUBERNETES_MANIFESTS)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Compare the kind with the place."""
    kind = file.document.root.scalar("kind")
    if kind is None:
        return
    place, pod = file.document.place, file.document.kind is Kind.KUBEVIP_POD
    if pod and place is Place.SERVER_MANIFESTS:
        yield RULE.finding(
            kind.span,
            "a Pod in server/manifests runs once in the whole cluster: the VIP dies with that server",
            help="put it into agent/pod-manifests of every server",
        )
    elif not pod and place in _STATIC:
        yield RULE.finding(
            kind.span,
            f"the kubelet ignores a {shown(kind.text)} in {place.value}: kube-vip does not run",
            help="put it into server/manifests, or make it a Pod",
        )
    elif pod and place is Place.KUBERNETES_MANIFESTS and file.server.settings.files:
        product = file.server.settings.product.value
        yield RULE.finding(
            kind.span,
            f"{product} does not read /etc/kubernetes/manifests: kube-vip does not run",
            help=f"put it into /var/lib/rancher/{product}/agent/pod-manifests",
            related=[Related(file.server.settings.files[0].source.start, "this is such a server")],
        )
