"""haproxy does not check the servers.

## What it does
Reports pools of the control plane with several servers of which one has no `check`.

## Why it is bad
A dead server stays in the pool: of three requests one fails, again and again, with `connection refused` or a timeout.

## Example
Bad:
```
backend api
    server cp1 10.10.10.11:6443
    server cp2 10.10.10.12:6443
```

Good:
```
backend api
    default-server check inter 3s fall 3 rise 2
    server cp1 10.10.10.11:6443
    server cp2 10.10.10.12:6443
```

## How to fix
Add `check` to each server, or to `default-server`.

## How to verify
Stop a server: haproxy logs `Server api/cp1 is DOWN`.

## References
haproxy "check".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import checked, pools
from vipkeeper.lint.scope import File

RULE = Rule("VK407", "haproxy-no-check", Severity.WARNING, Reach.FILE, (Kind.HAPROXY,))


def check(file: File[Haproxy]) -> Iterator[Finding]:
    """Each server of a pool of several."""
    for pool in pools(file.document):
        for server in pool.servers if len(pool.servers) > 1 else ():
            blind = not checked(file.document, pool, server, "check", "track") or server.has(
                "no-check"
            )
            if blind and not server.has("disabled"):
                yield RULE.finding(
                    server.span,
                    f"'{shown(server.words[1].text)}' is never checked: dead, it still gets its share",
                    help="add check",
                )
