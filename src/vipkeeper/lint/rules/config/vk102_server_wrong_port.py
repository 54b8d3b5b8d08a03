"""`server` names a port that servers do not join through.

## What it does
Reports a URL in `server` without a port, or with another one than 9345 (RKE2) or 6443 (k3s).

## Why it is bad
On RKE2 port 6443 is the API server, which knows nothing of joining: `401 Unauthorized` on /cacerts, again and again.
Any other port is `connection refused`. Joining is served by the supervisor on 9345. On k3s one port serves both.

## Example
Bad:
```yaml
server: https://10.10.10.100:6443
token: abc
```

Good:
```yaml
server: https://10.10.10.100:9345
token: abc
```

## How to fix
Write port 9345 for RKE2, 6443 for k3s. A load balancer that listens on another port on purpose is the one exception.

## How to verify
`curl -k https://HOST:9345/cacerts` from this server prints a certificate.

## References
rancher/rke2#165, rancher/rke2#3901.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.facts import host_of, port_of
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity, replace
from vipkeeper.lint.scope import Server

RULE = Rule("VK102", "server-wrong-port", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY)
_USUAL_MISTAKES = (6443, 9435, 9344, 443, None)


def check(server: Server) -> Iterator[Finding]:
    """Compare the port of the URL with the supervisor's."""
    value = server.settings.value("server")
    if value is None or not host_of(value.text):
        return
    product = server.settings.product
    port, wanted = port_of(value.text), product.supervisor_port
    if port == wanted:
        return
    host = host_of(value.text)
    url = f"https://{f'[{host}]' if ':' in host else host}:{wanted}"
    said = f"port {port}" if port is not None else "no port, which means 443"
    sure = Confidence.CERTAIN if port in _USUAL_MISTAKES else None
    yield RULE.finding(
        value.span,
        f"{product.title} servers are joined on port {wanted}; this URL has {said}",
        help=f"write server: {url}",
        fix=replace(value.span, url, f"use port {wanted}") if value.scalar else None,
        confidence=sure,
    )
