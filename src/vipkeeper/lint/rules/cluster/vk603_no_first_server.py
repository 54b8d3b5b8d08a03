"""No server starts the cluster: every one joins.

## What it does
Reports clusters whose servers all have `server` set, the first one too.

## Why it is bad
On a new cluster nobody answers where they join: the VIP needs an API server, and the first server waits for the VIP.
`failed to get CA certs: Get "https://10.10.10.100:9345/cacerts": ... no route to host`, on every server, for ever. On a cluster that
runs the line does nothing, until the first server is set up anew while the others are down.

## Example
Bad:
```yaml
# cp1, cp2 and cp3
server: https://10.10.10.100:9345
token: abc
```

Good:
```yaml
# cp1
token: abc
# cp2 and cp3
server: https://10.10.10.100:9345
token: abc
```

## How to fix
Remove `server` on the first server, start it, wait until the VIP answers, then start the others. Afterwards the line may be added.

## How to verify
`curl -k https://VIP:9345/cacerts` prints a certificate before the second server is started.

## References
RKE2 `tests/e2e/kubevip`; rancher/rke2#2753.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.compare import joins, shown_name
from vipkeeper.lint.facts import host_of
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
    remove_entry,
)
from vipkeeper.lint.scope import Cluster
from vipkeeper.lint.settings import Value

RULE = Rule("VK603", "no-first-server", Severity.ERROR, Reach.CLUSTER, SETTINGS, Confidence.LIKELY)


def check(cluster: Cluster) -> Iterator[Finding]:
    """The first of the servers, where all are known and all join."""
    servers = cluster.control_plane
    if not servers or not all(joins(server) for server in servers):
        return
    if any(server.settings.value("datastore-endpoint") for server in servers):
        return
    everyone = len(servers) >= len(cluster.facts.servers)
    complete = cluster.facts.complete and everyone
    if not complete and len(servers) < 3:
        return
    names = [server.name for server in cluster.facts.servers]
    first = min(servers, key=lambda s: names.index(s.name) if s.name in names else len(names))
    setting = first.settings.get("server")
    value = setting.value if setting else None
    if setting is None or value is None or not _inside(cluster, value):
        return
    vip = cluster.facts.is_vip(host_of(value.text))
    through = f"through the VIP {vip}" if vip else f"through {shown(host_of(value.text))}"
    yield RULE.finding(
        value.span,
        f"every server joins another one, {shown_name(first)} {through}: none starts the cluster",
        help=f"remove 'server' on the first server, {shown_name(first)}, until the cluster runs",
        fix=remove_entry(setting.entry, "remove 'server'") if setting.entry else None,
        confidence=None if complete else Confidence.POSSIBLE,
    )


def _inside(cluster: Cluster, value: Value) -> bool:
    """Whether the address can only be answered by this cluster itself."""
    host = host_of(value.text)
    known = cluster.facts.is_vip(host) or cluster.facts.server_at(host)
    return value.text.startswith("https://") and known is not None
