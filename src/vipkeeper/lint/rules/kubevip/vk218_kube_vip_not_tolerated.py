"""kube-vip does not tolerate a taint of the servers.

## What it does
Reports a DaemonSet of kube-vip that does not tolerate a `node-taint` of its servers, such as
`CriticalAddonsOnly=true:NoExecute`.

## Why it is bad
No pod of kube-vip runs on the servers and nobody holds the VIP; the DaemonSet shows `DESIRED 0`.

## Example
Bad:
```yaml
# etc/rancher/rke2/config.yaml
node-taint: ["CriticalAddonsOnly=true:NoExecute"]

# var/lib/rancher/rke2/server/manifests/kube-vip.yaml
apiVersion: apps/v1
kind: DaemonSet
spec:
  template:
    spec:
      hostNetwork: true
      tolerations:
        - {operator: Exists, effect: NoSchedule}
      containers:
        - {name: kube-vip, image: ghcr.io/kube-vip/kube-vip:v1.2.3, args: [manager]}
```

Good:
```yaml
# etc/rancher/rke2/config.yaml
node-taint: ["CriticalAddonsOnly=true:NoExecute"]

# var/lib/rancher/rke2/server/manifests/kube-vip.yaml
apiVersion: apps/v1
kind: DaemonSet
spec:
  template:
    spec:
      hostNetwork: true
      tolerations:
        - {operator: Exists, effect: NoSchedule}
        - {operator: Exists, effect: NoExecute}
      containers:
        - {name: kube-vip, image: ghcr.io/kube-vip/kube-vip:v1.2.3, args: [manager]}
```

## How to fix
Tolerate every NoSchedule and NoExecute.

## How to verify
`kubectl -n kube-system get ds kube-vip` shows as many pods as servers.

## References
RKE2 docs, "High Availability", step 1 (taint of servers); kube-vip `config_generator.go` (tolerations).
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Mapping, shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import Server

RULE = Rule(
    "VK218", "kube-vip-not-tolerated", Severity.ERROR, Reach.SERVER, (Kind.KUBEVIP_DAEMONSET,)
)


def check(server: Server) -> Iterator[Finding]:
    """Each hard taint against the tolerations of each DaemonSet."""
    for kubevip in server.all(KubeVip) if not server.is_agent else ():
        if kubevip.pod is None or not kubevip.is_daemonset or kubevip.image is None:
            continue
        tolerations = [t for t in kubevip.pod.items("tolerations") if isinstance(t, Mapping)]
        for taint in server.settings.values("node-taint"):
            key, _, effect = taint.text.rpartition(":")
            name, _, value = key.partition("=")
            if effect not in ("NoSchedule", "NoExecute"):
                continue
            if not any(_tolerates(t, name, value, effect) for t in tolerations):
                yield RULE.finding(
                    (kubevip.root.scalar("kind") or kubevip.image).span,
                    f"kube-vip does not tolerate '{shown(taint.text)}': it does not run here",
                    help=f"add the toleration {{operator: Exists, effect: {effect}}}",
                    related=[Related(taint.span, "the server has this taint")],
                )


def _tolerates(toleration: Mapping, name: str, value: str, effect: str) -> bool:
    def given(key: str) -> str:
        found = toleration.scalar(key)
        return found.text if found is not None else ""

    if given("effect") not in ("", effect) or given("key") not in ("", name):
        return False
    return given("operator") == "Exists" or (given("key") == name and given("value") == value)
