"""A kind of kube-vip that does not exist.

## What it does
Reports objects such as `kind: KubeVipConfig` with an `apiVersion` of kube-vip.

## Why it is bad
No release of kube-vip has resources of its own. The object is refused: `no matches for kind "KubeVipConfig" in version
"kube-vip.io/v1"`, or in server/manifests silently retried for ever. Nobody holds the VIP.

## Example
Bad:
```yaml
apiVersion: kube-vip.io/v1
kind: KubeVipConfig
metadata:
  name: kube-vip
spec:
  vip: 10.10.10.100
  interface: eth0
```

Good:
```yaml
apiVersion: v1
kind: Pod
metadata:
  name: kube-vip
  namespace: kube-system
spec:
  hostNetwork: true
  containers:
    - name: kube-vip
      image: ghcr.io/kube-vip/kube-vip:v1.2.3
      args: [manager]
      env:
        - {name: address, value: 10.10.10.100}
        - {name: vip_interface, value: eth0}
        - {name: vip_arp, value: "true"}
        - {name: cp_enable, value: "true"}
```

## How to fix
kube-vip is set by environment variables of its Pod or DaemonSet: `address`, `vip_interface`, `vip_arp`, `cp_enable`. Let
`kube-vip manifest pod` write it.

## How to verify
`kubectl -n kube-system get lease plndr-cp-lock` names a holder.

## References
kube-vip/kube-vip `pkg/kubevip/config_envvar.go`; no CRD in any release.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubernetes import KubeObject
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK201", "no-such-kube-vip-kind", Severity.ERROR, Reach.FILE, (Kind.OBJECT,))


def check(file: File[KubeObject]) -> Iterator[Finding]:
    """Objects in a group of kube-vip, or of a kind that nobody has."""
    kind = file.document.root.scalar("kind")
    version = file.document.root.scalar("apiVersion")
    if kind is None or version is None:
        return
    group = version.text.partition("/")[0]
    if kind.text.lower() == "kubevipconfig" or group.endswith("kube-vip.io"):
        yield RULE.finding(
            kind.span,
            f"kube-vip has no resource '{shown(kind.text)}'; nothing will hold the VIP",
            help="set kube-vip by environment variables of its Pod: kube-vip manifest pod ...",
            related=[Related(version.span, "this API does not exist either")],
        )
