"""`disable` names a component as the other product calls it.

## What it does
Reports names of k3s (`traefik`, `servicelb`) on RKE2, and names that begin with `rke2-` on k3s.

## Why it is bad
`disable` compares names of files in server/manifests. A name that no file has disables nothing: two ingress controllers, or two
programs that hold addresses of services, run side by side.

## Example
Bad:
```yaml
disable:
  - metrics-server
```

Good:
```yaml
disable:
  - rke2-metrics-server
```

## How to fix
Use the name of the file in /var/lib/rancher/rke2/server/manifests. ServiceLB is off in RKE2 unless `enable-servicelb` is true.

## How to verify
`kubectl get helmcharts,addons -n kube-system` does not list it.

## References
RKE2 documentation, "Server configuration"; k3s "Packaged components".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
    replace,
)
from vipkeeper.lint.scope import Server

RULE = Rule(
    "VK134", "disable-other-product", Severity.WARNING, Reach.SERVER, SETTINGS, Confidence.LIKELY
)
_ON_RKE2 = {
    "coredns": "rke2-coredns",
    "metrics-server": "rke2-metrics-server",
    "traefik": "rke2-traefik",
    "servicelb": "",
    "local-storage": "",
}


def check(server: Server) -> Iterator[Finding]:
    """Every name that is disabled and that no own manifest has."""
    own = {
        document.source.file.rpartition("/")[2].partition(".")[0] for document in server.documents
    }
    rke2 = server.settings.product is Product.RKE2
    for value in server.settings.values("disable"):
        name = value.text
        if name in own or not (name in _ON_RKE2 if rke2 else name.startswith("rke2-")):
            continue
        right = _ON_RKE2.get(name, "") if rke2 else name.removeprefix("rke2-")
        yield RULE.finding(
            value.span,
            f"{server.settings.product.title} has no component '{shown(name)}' to disable",
            help=f"write {right}" if right else "remove it",
            fix=replace(value.span, right, f"write {right}") if right and value.scalar else None,
        )
