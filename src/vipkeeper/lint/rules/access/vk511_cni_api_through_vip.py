"""The CNI reaches the API through a VIP that needs the CNI.

## What it does
Reports a `k8sServiceHost` of Cilium, or an endpoint of Calico, that is the VIP, where kube-vip runs as a DaemonSet in
the cluster. Where something else holds the VIP it is a warning.

## Why it is bad
kube-vip renews its lease through the address of the Service `kubernetes`, which Cilium makes; Cilium waits for the
VIP, which kube-vip holds. After a cold start neither comes up: `dial tcp 10.43.0.1:443: i/o timeout`. With any VIP
each node loses its network control when the VIP is gone.

## Example
Bad:
```yaml
# etc/rancher/rke2/config.yaml
cni: cilium
disable-kube-proxy: true

# var/lib/rancher/rke2/server/manifests/cilium-values.yaml
kubeProxyReplacement: true
k8sServiceHost: 10.10.10.100
k8sServicePort: 6443
```

Good:
```yaml
# etc/rancher/rke2/config.yaml
cni: cilium
disable-kube-proxy: true

# var/lib/rancher/rke2/server/manifests/cilium-values.yaml
kubeProxyReplacement: true
k8sServiceHost: localhost
k8sServicePort: 6443
```

## How to fix
On RKE2 and k3s every node, agents too, reaches an API server at localhost:6443 (k3s agents: 6444). On kubeadm let
kube-vip be a static pod with the kubeconfig of the host.

## How to verify
Restart all servers at once: nodes become Ready.

## References
kube-vip/kube-vip#721; lablabs/ansible-role-rke2#157.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.helm import HelmValues
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.kubevip.api import Way, way
from vipkeeper.lint.scope import Server
from vipkeeper.lint.yaml11 import resolve

RULE = Rule(
    "VK511",
    "cni-api-through-vip",
    Severity.ERROR,
    Reach.SERVER,
    (
        Kind.CILIUM_VALUES,
        Kind.CALICO_VALUES,
    ),
)
_PATHS = (("k8sServiceHost",), ("kubernetesServiceEndpoint", "host"))


def check(server: Server) -> Iterator[Finding]:
    """The address of the API in each set of values."""
    rancher = bool(server.settings.files)
    for values in server.all(HelmValues):
        for path in _PATHS:
            host = values.root.scalar(*path)
            vip = server.facts.is_vip(host.text) if host is not None else None
            if host is None or vip is None:
                continue
            alone = _replaces_proxy(values) or server.settings.is_true("disable-kube-proxy")
            circle = next((k for k in server.all(KubeVip) if alone and _in_cluster(k)), None)
            if circle is not None:
                place = circle.image or circle.root
                yield RULE.finding(
                    host.span,
                    f"the CNI waits for the VIP, {vip}; kube-vip, which holds it, for the CNI",
                    help="write localhost",
                    related=[Related(place.span, "kube-vip uses the Service address")],
                )
            elif rancher:
                yield RULE.finding(
                    host.span,
                    f"every node loses its network control with the VIP, {vip}",
                    help="write localhost",
                    severity=Severity.WARNING,
                )


def _replaces_proxy(values: HelmValues) -> bool:
    """Whether the CNI makes the address of the Service; otherwise kube-proxy does, which asks the own server."""
    cilium = values.root.scalar("kubeProxyReplacement")
    calico = values.root.scalar("installation", "calicoNetwork", "linuxDataplane")
    on = cilium is not None and resolve(cilium).text in ("true", "strict")
    return on or (calico is not None and calico.text == "BPF")


def _in_cluster(kubevip: KubeVip) -> bool:
    holds = kubevip.is_true("cp_enable") and kubevip.is_daemonset
    return holds and way(kubevip) is Way.CLUSTER
