"""`bind-address` keeps the VIP from answering.

## What it does
Reports a `bind-address` that is no wildcard where a VIP is known. (The VIP itself there is VK105's.)

## Why it is bad
The supervisor then listens on that address and on loopback only: `dial tcp 10.10.10.100:9345: connect: connection refused` for all who
join through the VIP. On RKE2 the API server on 6443 answers all the same, which hides it; on k3s 6443 is closed too.
Logs and exec through other servers fail as well.

## Example
Bad:
```yaml
bind-address: 10.10.10.11
node-ip: 10.10.10.11
```

Good:
```yaml
node-ip: 10.10.10.11
```

## How to fix
Remove `bind-address`; `node-ip` says which address the server is known by. Close ports with a firewall.

## How to verify
`ss -ltn 'sport = :9345'` shows `*:9345`.

## References
k3s `pkg/util/net.go`; k3s-io/k3s#10474, k3s-io/k3s#10653.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
    remove_entry,
)
from vipkeeper.lint.scope import Server, as_address

RULE = Rule(
    "VK109", "bind-address-closes-vip", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY
)


def check(server: Server) -> Iterator[Finding]:
    """One address to listen on is never the VIP's."""
    setting = server.settings.get("bind-address")
    value = setting.value if setting else None
    if setting is None or value is None or server.is_agent or not server.facts.vips:
        return
    address = as_address(value.text)
    if address is None or address.is_unspecified or server.facts.is_vip(value.text):
        return
    vip = server.facts.vips[0]
    port = server.settings.product.supervisor_port
    yield RULE.finding(
        value.span,
        f"with 'bind-address' {address} nothing listens on port {port} of the VIP {vip}",
        help="remove 'bind-address'",
        related=[Related(vip.span, f"the VIP ({vip.origin})")] if vip.span else (),
        fix=remove_entry(setting.entry, "remove 'bind-address'") if setting.entry else None,
    )
