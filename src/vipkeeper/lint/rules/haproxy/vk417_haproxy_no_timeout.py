"""haproxy waits for ever.

## What it does
Reports frontends and pools of the control plane without `timeout client`, `timeout connect` or `timeout server`.

## Why it is bad
Connections whose other end is gone without a word stay until haproxy has none left (`maxconn`); then it accepts
nobody. haproxy warns of it at start.

## Example
Bad:
```
defaults
    mode tcp
```

Good:
```
defaults
    mode tcp
    timeout connect 5s
    timeout client 10m
    timeout server 10m
```

## How to fix
Set all three in `defaults`.

## How to verify
`haproxy -c -f /etc/haproxy/haproxy.cfg` warns of nothing.

## References
haproxy 2.6, tried.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import pools
from vipkeeper.lint.scope import File

RULE = Rule("VK417", "haproxy-no-timeout", Severity.WARNING, Reach.FILE, (Kind.HAPROXY,))


def check(file: File[Haproxy]) -> Iterator[Finding]:
    """What each pool and its frontends have or inherit."""
    haproxy = file.document
    for pool in pools(haproxy):
        sections = {id(b.section): b.section for b in pool.fronts}.values()
        missing = [
            which
            for which, places in (
                ("client", tuple(sections)),
                ("connect", (pool.section,)),
                ("server", (pool.section,)),
            )
            if any(haproxy.setting(place, "timeout", which) is None for place in places)
        ]
        if missing:
            yield RULE.finding(
                pool.section.kind.span,
                f"no timeout {', '.join(missing)} for port {pool.port}: dead connections stay",
                help="add timeout connect 5s, timeout client 10m, timeout server 10m to defaults",
            )
