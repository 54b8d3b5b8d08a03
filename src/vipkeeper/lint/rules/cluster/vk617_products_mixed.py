"""RKE2 and k3s in one cluster.

## What it does
Reports servers of which some are configured for RKE2 and others for k3s.

## Why it is bad
The two do not join each other: ports and paths differ (`v1-rke2` and `v1-k3s`). Behind one VIP clients reach one cluster
or the other. Often a file simply lies in the wrong folder and is read by nobody.

## Example
Bad:
```yaml
# cp1/etc/rancher/rke2/config.yaml
token: abc

# cp2/etc/rancher/k3s/config.yaml
server: https://10.10.10.100:9345
token: abc
```

Good:
```yaml
# cp1/etc/rancher/rke2/config.yaml
token: abc

# cp2/etc/rancher/rke2/config.yaml
server: https://10.10.10.100:9345
token: abc
```

## How to fix
Use one product on all servers, and remove files of the other.

## How to verify
`ls /etc/rancher` shows one folder with a config.yaml.

## References
RKE2 and k3s `pkg/clientaccess`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import Held, deviations, shown_name
from vipkeeper.lint.kinds import SETTINGS, Kind
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK617", "products-mixed", Severity.ERROR, Reach.CLUSTER, SETTINGS, Confidence.LIKELY)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Servers against the first one; a server with both against itself."""
    for found in deviations(cluster.control_plane, lambda s: Held(s.settings.product.title)):
        yield RULE.finding(
            found.span,
            f"{found.who} are of different products: {found.held.text} and {found.common.text}",
            help=f"use {found.common.text} on all servers",
            related=[
                Related(found.other_span, f"{shown_name(found.other)} is {found.common.text}")
            ],
        )
    for server in cluster.servers:
        ours, other = server.of(Kind.RKE2_CONFIG), server.of(Kind.K3S_CONFIG)
        if ours and other:
            yield RULE.finding(
                other[0].source.start,
                f"{shown_name(server)} has configuration of RKE2 and of k3s",
                help="remove the file of the product that does not run",
                related=[Related(ours[0].source.start, "this is RKE2's")],
                severity=Severity.WARNING,
            )
