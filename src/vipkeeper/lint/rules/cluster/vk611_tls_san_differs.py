"""A name is in the certificates of some servers only.

## What it does
Reports names and addresses in `tls-san` of most servers, two at least, that the others lack. The VIP is VK103's, the name that servers
join through VK610's.

## Why it is bad
It works while the VIP is on one of the servers that have it. After the next move: `x509: certificate is valid for ..., not
api.example.org`.

## Example
Bad:
```yaml
# cp1 and cp2
tls-san: [10.10.10.100, api.example.org]
# cp3
tls-san: [10.10.10.100]
```

Good:
```yaml
# cp1, cp2 and cp3
tls-san: [10.10.10.100, api.example.org]
```

## How to fix
Use the same list on every server.

## How to verify
`openssl s_client -connect SERVER:6443 </dev/null | openssl x509 -noout -ext subjectAltName` is the same but for the own names.

## References
RKE2 documentation, "High availability".
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
from vipkeeper.lint.scope import Cluster, Server, as_address

RULE = Rule(
    "VK611", "tls-san-differs", Severity.WARNING, Reach.CLUSTER, SETTINGS, Confidence.LIKELY
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Names of more than half of the servers that one lacks."""
    servers = proven_servers(cluster)
    joined = {host_of(s.settings.text("server")).lower() for s in cluster.servers}
    holders: dict[str, list[Server]] = {}
    for server in servers:
        for text in {value.text.lower() for value in server.settings.values("tls-san")}:
            holders.setdefault(text, []).append(server)
    for text, having in sorted(holders.items()):
        usual = len(having) >= 2 and len(having) * 2 > len(servers)
        if not usual or text in joined or cluster.facts.is_vip(text):
            continue
        names = {server.name for server in having}
        for server in servers:
            given = server.settings.get("tls-san")
            span = given.span if given else server.settings.start
            there = having[0].settings.get("tls-san")
            if (
                server.name not in names
                and span is not None
                and as_address(text) not in server.addresses
            ):
                yield RULE.finding(
                    span,
                    f"'tls-san' of {shown_name(server)} lacks {shown(text)}, which most servers have",
                    help=f"add - {shown(text)}",
                    related=[Related(there.span, f"'tls-san' of {having[0].name}")]
                    if there
                    else (),
                )
