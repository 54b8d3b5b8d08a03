"""A static pod of kube-vip finds no API server.

## What it does
Reports a static Pod of kube-vip without a kubeconfig, and one on RKE2 or k3s that mounts the file of kubeadm, which
is not there.

## Why it is bad
kube-vip exits: `unable to load in-cluster configuration`, or `could not create k8s clientset from external file:
"/etc/kubernetes/admin.conf"`. A static pod has no service account, so it needs a file. Nobody holds the VIP.

## Example
Bad:
```yaml
# etc/rancher/rke2/config.yaml
token: abc

# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
apiVersion: v1
kind: Pod
spec:
  hostNetwork: true
  hostAliases:
    - {hostnames: [kubernetes], ip: 127.0.0.1}
  containers:
    - name: kube-vip
      image: ghcr.io/kube-vip/kube-vip:v1.2.3
      volumeMounts:
        - {name: kubeconfig, mountPath: /etc/kubernetes/admin.conf}
  volumes:
    - name: kubeconfig
      hostPath: {path: /etc/kubernetes/admin.conf}  # RKE2 has no such file
```

Good:
```yaml
# etc/rancher/rke2/config.yaml
token: abc

# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
apiVersion: v1
kind: Pod
spec:
  hostNetwork: true
  hostAliases:
    - {hostnames: [kubernetes], ip: 127.0.0.1}
  containers:
    - name: kube-vip
      image: ghcr.io/kube-vip/kube-vip:v1.2.3
      volumeMounts:
        - {name: kubeconfig, mountPath: /etc/kubernetes/admin.conf}
  volumes:
    - name: kubeconfig
      hostPath: {path: /etc/rancher/rke2/rke2.yaml, type: File}
```

## How to fix
Mount the kubeconfig of the server at `/etc/kubernetes/admin.conf` of the container: `/etc/rancher/rke2/rke2.yaml`,
`/etc/rancher/k3s/k3s.yaml`, with kubeadm `/etc/kubernetes/admin.conf`.

## How to verify
The log of kube-vip goes on to `attempting to acquire leader lease`.

## References
kube-vip/kube-vip#371, kube-vip/kube-vip#721.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind, Place
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.kubevip.api import ADMIN_CONF, Way, way
from vipkeeper.lint.scope import Server

RULE = Rule("VK213", "kube-vip-no-kubeconfig", Severity.ERROR, Reach.SERVER, (Kind.KUBEVIP_POD,))


def check(server: Server) -> Iterator[Finding]:
    """Look at the kubeconfig of each Pod."""
    start = server.settings.start
    product = server.settings.product.value
    for kubevip in server.all(KubeVip):
        static = kubevip.place in (Place.POD_MANIFESTS, Place.KUBERNETES_MANIFESTS)
        pod = kubevip.pod if kubevip.kind is Kind.KUBEVIP_POD else None
        if pod is None or (not static and pod.get("serviceAccountName") is not None):
            continue
        if way(kubevip) is Way.CLUSTER:
            yield RULE.finding(
                pod.span,
                "kube-vip has no kubeconfig and, as a static pod, no service account: it exits",
                help=f"mount the kubeconfig of the server at {ADMIN_CONF}",
                confidence=Confidence.CERTAIN if static else Confidence.LIKELY,
            )
            continue
        mount = kubevip.mount(ADMIN_CONF)
        path = mount.host.scalar("path") if mount is not None and mount.host else None
        kubeadm = path is not None and path.text.rstrip("/") in (ADMIN_CONF, "/etc/kubernetes")
        if path is not None and kubeadm and start is not None:
            yield RULE.finding(
                path.span,
                f"{product} writes no '{shown(path.text)}': kube-vip exits",
                help=f"mount /etc/rancher/{product}/{product}.yaml",
                related=[Related(start, f"this is a server of {product}")],
                confidence=Confidence.LIKELY,
            )
