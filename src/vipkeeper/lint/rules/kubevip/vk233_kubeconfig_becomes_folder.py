"""A static pod makes a folder where the kubeconfig belongs.

## What it does
Reports static pods of kube-vip on RKE2 and k3s that mount the kubeconfig of the server without `type: File`.

## Why it is bad
The kubelet runs static pods before the server has written that file. The container runtime then makes a folder of
that name; kube-vip reads no kubeconfig and the server cannot write one.

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
      volumeMounts:
        - {name: kubeconfig, mountPath: /etc/kubernetes/admin.conf}
  volumes:
    - name: kubeconfig
      hostPath: {path: /etc/rancher/rke2/rke2.yaml}
```

Good:
```yaml
# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
apiVersion: v1
kind: Pod
spec:
  hostNetwork: true
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
Add `type: File`: the pod waits then until the file is there.

## How to verify
`stat /etc/rancher/rke2/rke2.yaml` says regular file, after the first start of a new server.

## References
Kubernetes, "hostPath volume types"; lablabs/ansible-role-rke2#209.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind, Place
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.kubevip.api import ADMIN_CONF
from vipkeeper.lint.scope import Server

RULE = Rule(
    "VK233",
    "kubeconfig-becomes-folder",
    Severity.WARNING,
    Reach.SERVER,
    (Kind.KUBEVIP_POD,),
    Confidence.LIKELY,
)


def check(server: Server) -> Iterator[Finding]:
    """The volume with the kubeconfig of the server."""
    for kubevip in server.all(KubeVip):
        mount = kubevip.mount(ADMIN_CONF)
        if mount is None or mount.host is None or kubevip.place is not Place.POD_MANIFESTS:
            continue
        path, kind = mount.host.scalar("path"), mount.host.scalar("type")
        written = path is not None and path.text.endswith(("/rke2.yaml", "/k3s.yaml"))
        if path is not None and written and (kind is None or kind.text == ""):
            yield RULE.finding(
                path.span,
                f"before the server has written '{shown(path.text)}', this makes a folder of it",
                help="add type: File",
            )
