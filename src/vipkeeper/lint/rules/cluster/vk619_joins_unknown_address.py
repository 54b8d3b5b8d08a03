"""A node joins through an address that is neither the VIP nor a server.

## What it does
Reports addresses in `server` where the VIP and the address of every server are known and it is none of them.

## Why it is bad
Perhaps it is a load balancer, and right. Otherwise it is a VIP that was changed, or mistyped: `failed to get CA certs: ... no route to host`,
or the certificate of another cluster, `token CA hash does not match the Cluster CA certificate hash`.

## Example
Bad:
```yaml
# cp1
token: abc
node-ip: 10.10.10.11
# cp2
server: https://10.10.10.10:9345
token: abc
node-ip: 10.10.10.12
```

Good:
```yaml
# cp1
token: abc
node-ip: 10.10.10.11
# cp2
server: https://10.10.10.100:9345
token: abc
node-ip: 10.10.10.12
```

## How to fix
Write the VIP. If it is a load balancer, ignore the finding with that as the reason.

## How to verify
`curl -k https://ADDRESS:9345/cacerts` prints the certificate of this cluster.

## References
rancher/rke2#3214.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.facts import host_of
from vipkeeper.lint.kinds import SETTINGS
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
    "VK619", "joins-unknown-address", Severity.WARNING, Reach.SERVER, SETTINGS, Confidence.POSSIBLE
)


def check(server: Server) -> Iterator[Finding]:
    """Only where everything else is known."""
    facts = server.facts
    value = server.settings.value("server")
    address = as_address(host_of(value.text)) if value else None
    if value is None or address is None or address.is_loopback or not facts.vips:
        return
    if not facts.complete or any(known.address is None for known in facts.servers):
        return
    if any(vip.span == value.span for vip in facts.vips) or facts.is_vip(str(address)):
        return
    if facts.server_at(str(address)) is None and address not in server.addresses:
        vip = facts.vips[0]
        yield RULE.finding(
            value.span,
            f"{address} is neither the VIP {vip} nor a known server",
            help=f"write {vip}, unless it is a load balancer",
            related=[Related(vip.span, f"the VIP ({vip.origin})")] if vip.span else (),
        )
