"""`node-ip`, `cluster-cidr` and `service-cidr` have different address families.

## What it does
Reports servers whose networks of pods and services are not both IPv4, both IPv6 or both dual stack, and a `node-ip` that lacks a
family of theirs.

## Why it is bad
The server does not start: `cluster-cidr: [...] and node-ip: [...], must share the same IP version (IPv4, IPv6 or dual-stack)`. On one
that ran before an upgrade or a change of the CIDRs this is found at the next restart.

## Example
Bad:
```yaml
node-ip: 10.10.10.11
cluster-cidr: 10.42.0.0/16,fd00:42::/56
service-cidr: 10.43.0.0/16,fd00:43::/112
```

Good:
```yaml
node-ip: 10.10.10.11,fd00:1::11
cluster-cidr: 10.42.0.0/16,fd00:42::/56
service-cidr: 10.43.0.0/16,fd00:43::/112
```

## How to fix
Give all three the same families, separated by commas.

## How to verify
The server starts without that line in its log.

## References
k3s-io/k3s#5491, k3s-io/k3s#5781, k3s-io/k3s#5918.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.networks import networks
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server, as_address

RULE = Rule("VK115", "address-families-differ", Severity.ERROR, Reach.SERVER, SETTINGS)


def check(server: Server) -> Iterator[Finding]:
    """Services against pods, then the node against pods."""
    settings = server.settings
    pods = networks(settings, "cluster-cidr")
    services = networks(settings, "service-cidr")
    wanted: set[int] = {network.network.version for network in pods}
    offered: set[int] = {network.network.version for network in services}
    span = next((n.span for n in (*services, *pods) if n.span), None)
    if wanted and offered and wanted != offered and span:
        yield RULE.finding(
            span,
            f"'cluster-cidr' is {_words(wanted)} and 'service-cidr' is {_words(offered)}",
            help=f"make both {_words(wanted | offered)}",
            related=[
                Related(n.span, "'cluster-cidr'") for n in pods[:1] if n.span != span and n.span
            ],
        )
    own = [as_address(value.text) for value in settings.values("node-ip")]
    node: set[int] = {address.version for address in own if address is not None}
    given = settings.value("node-ip")
    if node and given and not wanted <= node:
        yield RULE.finding(
            given.span,
            f"'node-ip' is {_words(node)} and 'cluster-cidr' is {_words(wanted)}",
            help="node-ip: one address of each family, such as 10.10.10.11,fd00:1::11",
            related=[Related(n.span, "'cluster-cidr'") for n in pods[:1] if n.span],
        )


def _words(families: set[int]) -> str:
    return "dual stack" if len(families) > 1 else f"IPv{next(iter(families))}"
