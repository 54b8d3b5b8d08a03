"""Cilium replaces kube-proxy and is not told where the API is.

## What it does
Reports `kubeProxyReplacement` without `k8sServiceHost` on servers with `disable-kube-proxy`, and a `k8sServicePort`
of 9345.

## Why it is bad
Without kube-proxy nothing serves the address of the Service `kubernetes` until Cilium runs, and Cilium asks the API
through it: `dial tcp 10.43.0.1:443: i/o timeout`. No node becomes Ready.

## Example
Bad:
```yaml
# etc/rancher/rke2/config.yaml
cni: cilium
disable-kube-proxy: true

# var/lib/rancher/rke2/server/manifests/cilium-values.yaml
kubeProxyReplacement: true
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
Add both.

## How to verify
`kubectl -n kube-system exec ds/cilium -- cilium-dbg status` says KubeProxyReplacement: True.

## References
RKE2 docs, "Network Options", Cilium; Cilium docs, "Kubernetes Without kube-proxy".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.helm import HelmValues
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import Server
from vipkeeper.lint.yaml11 import resolve

RULE = Rule("VK512", "cilium-no-api", Severity.ERROR, Reach.SERVER, (Kind.CILIUM_VALUES,))
_ON = ("true", "strict")


def check(server: Server) -> Iterator[Finding]:
    """Where kube-proxy is off."""
    for values in server.all(HelmValues):
        if values.kind is not Kind.CILIUM_VALUES:
            continue
        root, settings = values.root, server.settings
        replaced, host = root.scalar("kubeProxyReplacement"), root.scalar("k8sServiceHost")
        port, off = root.scalar("k8sServicePort"), settings.get("disable-kube-proxy")
        if port is not None and port.text == "9345":
            what = "port 9345 is where servers join; the API is on port 6443"
            yield RULE.finding(port.span, what, help="write 6443")
        on = replaced is not None and resolve(replaced).text in _ON
        if replaced is None or not on or off is None or not settings.is_true("disable-kube-proxy"):
            continue
        given = any(v.root.scalar("k8sServiceHost") for v in server.all(HelmValues))
        if not given or (host is not None and not host.text):
            yield RULE.finding(
                replaced.span,
                "Cilium asks the API through a Service that only Cilium serves",
                help="add k8sServiceHost: localhost and k8sServicePort: 6443",
                related=[Related(off.span, "kube-proxy is off")],
            )
