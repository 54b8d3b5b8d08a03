"""haproxy reads TLS of the control plane as HTTP.

## What it does
Reports `mode http` for pools of port 6443 or 9345 whose clients come in without `ssl` on the `bind`.

## Why it is bad
What arrives is TLS: haproxy answers `400 Bad request` and nobody reaches the API.

## Example
Bad:
```
defaults
    mode http
frontend api
    bind *:6443
```

Good:
```
defaults
    mode tcp
frontend api
    bind *:6443
```

## How to fix
Write `mode tcp` in the frontend and the backend.

## How to verify
`curl -k https://VIP:6443/version` gets an answer of the API server.

## References
rancher/rke2#3033; haproxy "mode".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Bind, Haproxy
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import mode_of, pools
from vipkeeper.lint.scope import File

RULE = Rule("VK405", "haproxy-mode-http", Severity.ERROR, Reach.FILE, (Kind.HAPROXY,))


def check(file: File[Haproxy]) -> Iterator[Finding]:
    """The mode of each pool and of its frontends."""
    seen = set()
    for pool in pools(file.document):
        binds = pool.fronts
        for section in [*(bind.section for bind in binds), pool.section]:
            mode = mode_of(file.document, section)
            tls = any(line.has("ssl") for line in section.all("bind"))
            if mode is None or mode.span in seen or not mode.has("http") or tls:
                continue
            if section is pool.section and _ends_tls(binds):
                continue
            seen.add(mode.span)
            yield RULE.finding(
                mode.span,
                f"clients of port {pool.port} speak TLS: haproxy answers 400 Bad request",
                help="mode tcp",
                related=[Related(pool.servers[0].span, "a server of the control plane")],
            )


def _ends_tls(binds: tuple[Bind, ...]) -> bool:
    return any(line.has("ssl") for bind in binds for line in bind.section.all("bind"))
