"""haproxy sends the clients of the VIP to the VIP.

## What it does
Reports servers of a pool whose address is the VIP.

## Why it is bad
Each request comes back to haproxy until its connections are used up; or it depends on the holder alone, and the other
servers get nothing.

## Example
Bad:
```
backend api
    server vip 10.10.10.100:6443 check
```

Good:
```
backend api
    server cp1 10.10.10.11:6443 check
    server cp2 10.10.10.12:6443 check
    server cp3 10.10.10.13:6443 check
```

## How to fix
Write the addresses of the servers.

## How to verify
The statistics page shows each server with sessions.

## References
haproxy "server".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import pools, target
from vipkeeper.lint.scope import Server

RULE = Rule("VK411", "haproxy-through-vip", Severity.ERROR, Reach.SERVER, (Kind.HAPROXY,))


def check(server: Server) -> Iterator[Finding]:
    """Each line of each pool."""
    for haproxy in server.all(Haproxy):
        for pool in pools(haproxy):
            for line in pool.servers:
                vip = server.facts.is_vip(target(line)[0])
                if vip is not None:
                    yield RULE.finding(
                        line.span,
                        f"{vip} is the VIP itself ({vip.origin}), no server",
                        help="write the addresses of the servers",
                    )
