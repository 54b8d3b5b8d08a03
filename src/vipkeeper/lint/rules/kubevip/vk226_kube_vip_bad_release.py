"""A release of kube-vip that is known to lose the VIP.

## What it does
Reports v1.2.2 with the kubeconfig of kubeadm, and v1.0.0 to v1.0.4.

## Why it is bad
v1.2.2 asks the server named in admin.conf, with kubeadm the VIP: after a reboot of all servers nobody holds it (`Get
"https://VIP:6443/...": connection refused`). v1.0.0 to v1.0.4 exit without cleaning up: the VIP stays on the old
holder beside the new one.

## Example
Bad:
```yaml
image: ghcr.io/kube-vip/kube-vip:v1.0.4
env:
  - {name: cp_enable, value: "true"}
```

Good:
```yaml
image: ghcr.io/kube-vip/kube-vip:v1.2.3
env:
  - {name: cp_enable, value: "true"}
```

## How to fix
Take v1.2.3 or newer. With v1.2.2 set `kubernetes_addr` to `https://127.0.0.1:6443`.

## How to verify
The log of kube-vip names the release at start.

## References
dell/omnia#4992; kube-vip/kube-vip#1242, kube-vip/kube-vip#1413.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity, Software, VersionRange
from vipkeeper.lint.rules.kubevip.api import ADMIN_CONF, Way, way
from vipkeeper.lint.scope import File

_LEAVES = VersionRange(Software.KUBE_VIP, since="v1.0.0", before="v1.0.5")
_DEADLOCK = VersionRange(Software.KUBE_VIP, since="v1.2.2", before="v1.2.3")
RULE = Rule(
    "VK226",
    "kube-vip-bad-release",
    Severity.WARNING,
    Reach.FILE,
    KUBEVIP,
    versions=(_LEAVES, _DEADLOCK),
)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """The release in the image."""
    kubevip = file.document
    if kubevip.version is None or kubevip.image is None or not kubevip.is_true("cp_enable"):
        return
    what = "this release may exit and leave the VIP behind, beside the new holder"
    help_text = "take v1.2.3 or newer"
    yield RULE.finding(kubevip.image.span, what, help=help_text, versions=(_LEAVES,))
    mount = kubevip.mount(ADMIN_CONF)
    path = mount.host.scalar("path") if mount is not None and mount.host else None
    if way(kubevip) is Way.ADMIN and path is not None and "kubernetes" in path.text:
        yield RULE.finding(
            kubevip.image.span,
            f"this release asks the server in '{shown(path.text)}', with kubeadm the VIP itself",
            help=help_text,
            versions=(_DEADLOCK,),
            related=[Related(path.span, "the file of kubeadm")],
        )
