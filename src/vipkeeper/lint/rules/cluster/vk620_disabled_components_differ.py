"""Servers disable different components.

## What it does
Reports servers whose list `disable` is not that of most. (On k3s a different `servicelb` is an error: joining servers compare it.)

## Why it is bad
Each server at its start removes what it disables and deploys what it does not. A component comes and goes with every restart, with
all that depends on it.

## Example
Bad:
```yaml
# cp1
disable: [rke2-ingress-nginx]
# cp2: no disable
```

Good:
```yaml
# cp1 and cp2
disable: [rke2-ingress-nginx]
```

## How to fix
Use the same list on every server, best in a drop-in that all of them have.

## How to verify
`kubectl -n kube-system get addons` stays the same while the servers are restarted one after the other.

## References
k3s `pkg/deploy`; k3s documentation, "Packaged components".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import Held, deviations, proven_servers, shown_name
from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, Server

RULE = Rule(
    "VK620",
    "disabled-components-differ",
    Severity.WARNING,
    Reach.CLUSTER,
    SETTINGS,
    Confidence.LIKELY,
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Compare the lists as sets."""
    for found in deviations(proven_servers(cluster), _held):
        one, other = set(found.held.text.split()), set(found.common.text.split())
        compared = "servicelb" in one ^ other and found.server.settings.product is Product.K3S
        yield RULE.finding(
            found.span,
            f"{found.who} disable different components: {', '.join(sorted(one ^ other))}",
            help="use the same list on every server",
            related=[Related(found.other_span, f"'disable' of {shown_name(found.other)}")],
            severity=Severity.ERROR if compared else None,
        )


def _held(server: Server) -> Held:
    setting = server.settings.get("disable")
    names = sorted({value.text for value in setting.values if value.text}) if setting else []
    return Held(" ".join(names), setting.span if setting else None)
