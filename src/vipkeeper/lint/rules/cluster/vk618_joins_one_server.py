"""A node can be set up anew only while one certain server runs.

## What it does
Reports servers and agents that join through the address of one server although the cluster has a VIP.

## Why it is bad
Nothing fails now: what has joined needs `server` no more. When that server is down a new node cannot join, and a server that lost
its data cannot come back: `connect: no route to host`.

## Example
Bad:
```yaml
# cp1
token: abc
node-ip: 10.10.10.11
# cp2
server: https://10.10.10.11:9345
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
Write the VIP. It takes effect at the next restart and may be changed one node after the other.

## How to verify
`curl -k https://VIP:9345/cacerts` from this node prints a certificate.

## References
rancher/rancher#45538.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import shown_name
from vipkeeper.lint.facts import host_of
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server, as_address

RULE = Rule("VK618", "joins-one-server", Severity.INFO, Reach.SERVER, SETTINGS)


def check(server: Server) -> Iterator[Finding]:
    """The host of the URL among the known servers."""
    value = server.settings.value("server")
    host = host_of(value.text) if value else ""
    known = server.facts.server_at(host)
    if (
        value is None
        or known is None
        or not server.facts.vips
        or as_address(host) in server.addresses
    ):
        return
    vip = server.facts.vips[0]
    if server.facts.is_vip(host) is None:
        name = known.name or host
        yield RULE.finding(
            value.span,
            f"{shown_name(server)} joins through {name} alone, not through the VIP {vip}",
            help=f"server: {value.text.replace(host, str(vip))}"
            if vip.address.version == 4
            else "",
        )
