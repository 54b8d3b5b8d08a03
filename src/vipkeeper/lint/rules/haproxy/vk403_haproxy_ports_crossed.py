"""haproxy passes a port on to another service.

## What it does
Reports clients of 9345 that are sent to port 6443 of the servers, and the other way round.

## Why it is bad
The API server answers `401 Unauthorized` or 404 where RKE2 asks its supervisor for `/cacerts`; kubectl gets 404 from
the supervisor.

## Example
Bad:
```
frontend supervisor
    bind *:9345
    default_backend api
backend api
    server cp1 10.10.10.11:6443 check
```

Good:
```
frontend supervisor
    bind *:9345
    default_backend supervisor
backend supervisor
    server cp1 10.10.10.11:9345 check
```

## How to fix
Give each port a backend of its own.

## How to verify
`curl -k https://VIP:9345/ping` prints pong; `curl -k https://VIP:6443/version` gets an answer of the API server.

## References
rancher/rke2#165.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import API_PORTS, pools, target
from vipkeeper.lint.scope import File

RULE = Rule("VK403", "haproxy-ports-crossed", Severity.ERROR, Reach.FILE, (Kind.HAPROXY,))


def check(file: File[Haproxy]) -> Iterator[Finding]:
    """The port of each pool against that of its clients."""
    for pool in pools(file.document):
        for server in pool.servers:
            port = target(server)[1]
            wrong = next(
                (
                    bind
                    for bind in pool.fronts
                    if bind.port in API_PORTS and port in API_PORTS and bind.port != port
                ),
                None,
            )
            if wrong is not None:
                yield RULE.finding(
                    server.span,
                    f"clients of {wrong.port} are sent to port {port} of the server",
                    help=f"write port {wrong.port}, or give {wrong.port} a backend of its own",
                    related=[Related(wrong.span, "here they come in")],
                )
                break
