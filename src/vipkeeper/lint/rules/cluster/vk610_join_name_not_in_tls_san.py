"""The name that servers join through is in no certificate.

## What it does
Reports a host name in `server` that a server of the cluster has neither in `tls-san` nor as its own name.

## Why it is bad
The joining server does not trust whom it reaches: `CA cert validation failed: ... x509: certificate is valid for cp1, kubernetes, ..., not
api.example.org`. Since `tls-san-security` is on by default, names that nobody listed are not added by themselves.

## Example
Bad:
```yaml
# cp1
tls-san: [10.10.10.100]
# cp2
server: https://api.example.org:9345
```

Good:
```yaml
# cp1 and cp2
tls-san: [10.10.10.100, api.example.org]
```

## How to fix
Name it in `tls-san` of every server and restart one after the other.

## How to verify
`openssl s_client -connect NAME:9345 </dev/null | openssl x509 -noout -ext subjectAltName` names it.

## References
rancher/rke2#518, rancher/rke2#522.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.compare import proven_servers, shown_name
from vipkeeper.lint.facts import host_of
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, as_address

RULE = Rule(
    "VK610", "join-name-not-in-tls-san", Severity.ERROR, Reach.CLUSTER, SETTINGS, Confidence.LIKELY
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each name once, against every server that can answer."""
    seen: set[str] = set()
    own = {name.lower() for s in cluster.servers for name in (s.name, s.settings.text("node-name"))}
    for server in cluster.servers:
        value = server.settings.value("server")
        host = host_of(value.text).lower() if value else ""
        if value is None or not host or as_address(host) or host in seen or host == "localhost":
            continue
        seen.add(host)
        if host.partition(".")[0] in own:
            continue
        for other in proven_servers(cluster):
            names = {san.text.lower() for san in other.settings.values("tls-san")}
            given = other.settings.get("tls-san")
            span = given.span if given else other.settings.start
            if span is not None and not {host, f"*.{host.partition('.')[2]}"} & names:
                yield RULE.finding(
                    span,
                    f"'tls-san' of {shown_name(other)} lacks {shown(host)}, which servers join through",
                    help=f"add to tls-san, on every server: - {shown(host)}",
                    related=[Related(value.span, f"{shown_name(server)} joins through it")],
                )
