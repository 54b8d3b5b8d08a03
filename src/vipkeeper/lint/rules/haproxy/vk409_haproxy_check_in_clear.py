"""haproxy checks a TLS port without TLS.

## What it does
Reports `option httpchk` for servers on port 6443 or 9345 without `check-ssl` (or `ssl`).

## Why it is bad
The API server answers `400 Bad Request`, `Client sent an HTTP request to an HTTPS server`. All servers are DOWN and
haproxy refuses every client.

## Example
Bad:
```
backend api
    option httpchk GET /readyz
    server cp1 10.10.10.11:6443 check
```

Good:
```
backend api
    option httpchk GET /readyz
    server cp1 10.10.10.11:6443 check check-ssl verify none
```

## How to fix
Add `check-ssl verify none`, or `ca-file`, to the servers or to `default-server`.

## How to verify
The statistics page shows the servers UP (L7OK).

## References
haproxy "check-ssl".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import checked, option, pools
from vipkeeper.lint.scope import File

RULE = Rule("VK409", "haproxy-check-in-clear", Severity.ERROR, Reach.FILE, (Kind.HAPROXY,))


def check(file: File[Haproxy]) -> Iterator[Finding]:
    """Each server of a pool that is checked by HTTP."""
    for pool in pools(file.document):
        http = option(file.document, pool.section, "httpchk")
        others = ("tcp-check", "ssl-hello-chk")
        if http is None or any(pool.section.all("option", word) for word in others):
            continue
        lines = [line.text for line in pool.section.all("http-check")]
        if any("connect" in line and ("ssl" in line or "port" in line) for line in lines):
            continue
        for server in pool.servers:
            elsewhere = server.after("port") or server.after("addr")
            made = checked(file.document, pool, server, "check")
            if (
                made
                and not elsewhere
                and not checked(file.document, pool, server, "check-ssl", "ssl")
            ):
                yield RULE.finding(
                    server.span,
                    f"port {pool.port} speaks TLS, the check does not: the server is DOWN for ever",
                    help="add check-ssl verify none",
                    related=[Related(http.span, "the check")],
                )
                break
