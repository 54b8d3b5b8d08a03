"""`cluster-dns` lies outside the network of services.

## What it does
Reports addresses in `cluster-dns` that are not in `service-cidr`. Link-local addresses (node-local DNS) and clusters whose own DNS is
disabled are left alone.

## Why it is bad
The DNS service cannot be made (`provided IP is not in the valid range`), so no pod resolves a name. It happens where `service-cidr`
was changed and `cluster-dns` was not.

## Example
Bad:
```yaml
service-cidr: 10.96.0.0/12
cluster-dns: 10.43.0.10
```

Good:
```yaml
service-cidr: 10.96.0.0/12
cluster-dns: 10.96.0.10
```

## How to fix
Remove `cluster-dns`: it is then the tenth address of `service-cidr`. Or name an address inside.

## How to verify
`kubectl -n kube-system get svc` shows the DNS service with that address.

## References
rancher/rke2#7756.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.networks import networks
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server, as_address

RULE = Rule(
    "VK114", "cluster-dns-outside", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY
)
_OWN_DNS = ("coredns", "rke2-coredns")


def check(server: Server) -> Iterator[Finding]:
    """Every address against every network of services."""
    settings = server.settings
    if any(value.text in _OWN_DNS for value in settings.values("disable")):
        return
    services = networks(settings, "service-cidr")
    for value in settings.values("cluster-dns"):
        address = as_address(value.text)
        if address is None or address.is_link_local:
            continue
        if any(address in network.network for network in services):
            continue
        named = next((n for n in services if n.network.version == address.version), None)
        where = str(named) if named else "every service-cidr"
        yield RULE.finding(
            value.span,
            f"'cluster-dns' {address} lies outside {where}",
            help=f"write {named.network.network_address + 10}, or remove the line" if named else "",
            related=[Related(n.span, "'service-cidr'") for n in services[:1] if n.span],
        )
