"""A check over TLS that haproxy refuses to make.

## What it does
Reports servers of the control plane with `check-ssl` or `ssl` and neither `verify none` nor `ca-file`.

## Why it is bad
haproxy does not start: `verify is enabled by default but no CA file specified`.

## Example
Bad:
```
server cp1 10.10.10.11:6443 check check-ssl
```

Good:
```
server cp1 10.10.10.11:6443 check check-ssl verify none
```

## How to fix
Add `verify none`, or `verify required ca-file FILE` with the authority of the cluster.

## How to verify
`haproxy -c -f /etc/haproxy/haproxy.cfg` says that the file is valid.

## References
haproxy 2.6, tried; "verify".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import checked, pools
from vipkeeper.lint.scope import File

RULE = Rule("VK410", "haproxy-check-unverified", Severity.ERROR, Reach.FILE, (Kind.HAPROXY,))


def check(file: File[Haproxy]) -> Iterator[Finding]:
    """Each server that is asked over TLS."""
    general = [line for s in file.document.of("global") for line in s.all("ssl-server-verify")]
    if any(line.has("none") for line in general):
        return
    for pool in pools(file.document):
        for server in pool.servers:
            tls = checked(file.document, pool, server, "check-ssl", "ssl")
            if tls and not checked(file.document, pool, server, "verify", "ca-file"):
                yield RULE.finding(
                    server.span,
                    "haproxy does not start: a check over TLS without verify none or a ca-file",
                    help="add verify none",
                )
                break
