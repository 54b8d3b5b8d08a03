"""kube-proxy and Cilium do not fit together.

## What it does
Reports servers of RKE2 and k3s where Cilium replaces kube-proxy that still runs, and those where neither serves
Services.

## Why it is bad
Both at once write rules for the same Services, and connections get lost when they disagree. Without both no Service
has an address that works, the API inside the cluster included: pods get `dial tcp 10.43.0.1:443: i/o timeout`.

## Example
Bad:
```yaml
# etc/rancher/rke2/config.yaml
cni: cilium

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
```

## How to fix
Set `disable-kube-proxy: true` on all servers if and only if Cilium replaces it.

## How to verify
`kubectl -n kube-system get pods | grep kube-proxy` shows none.

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

RULE = Rule("VK513", "kube-proxy-and-cilium", Severity.WARNING, Reach.SERVER, (Kind.CILIUM_VALUES,))


def check(server: Server) -> Iterator[Finding]:
    """The replacement against the switch."""
    settings = server.settings
    if not settings.files or server.is_agent:
        return
    for values in server.all(HelmValues):
        if values.kind is not Kind.CILIUM_VALUES or values.chart is None:
            continue
        replaced = values.root.scalar("kubeProxyReplacement")
        text = resolve(replaced).text if replaced is not None else ""
        off = settings.get("disable-kube-proxy")
        disabled = settings.is_true("disable-kube-proxy")
        if replaced is not None and text in ("true", "strict") and not disabled:
            place = settings.files[0].source.start if off is None else off.span
            yield RULE.finding(
                replaced.span,
                "Cilium replaces kube-proxy, which still runs",
                help="add disable-kube-proxy: true to config.yaml of all servers",
                related=[Related(place, "kube-proxy is on here")],
            )
        elif (
            replaced is not None and text in ("false", "disabled") and disabled and off is not None
        ):
            yield RULE.finding(
                replaced.span,
                "neither kube-proxy nor Cilium serves Services",
                help="write true, with k8sServiceHost: localhost and k8sServicePort: 6443",
                related=[Related(off.span, "kube-proxy is off")],
                severity=Severity.ERROR,
            )
