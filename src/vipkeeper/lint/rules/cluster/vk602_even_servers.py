"""An even number of servers.

## What it does
Reports clusters with embedded etcd that have an even number of members: where the list of servers is known to be complete,
and, as a guess, where one folder holds a folder for each server. Servers with `disable-etcd`, agents and load balancers are no
members.

## Why it is bad
etcd needs more than half. Of two servers both must run: two fail more often than one. Of four two may not fail, the
same as of three. After the loss the API answers `etcdserver: request timed out`, wherever the VIP is.

## Example
Bad:
```yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11
  cp2: 10.10.10.12
```

Good:
```yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11
  cp2: 10.10.10.12
  cp3: 10.10.10.13
```

## How to fix
Have one, three or five. A third server can be small and only run etcd (`disable-apiserver`, `disable-controller-manager`,
`disable-scheduler`). With an external datastore (`datastore-endpoint`) two are right.

## How to verify
`etcdctl member list` shows an odd number of members.

## References
rancher/rke2#2753, rancher/rke2#5327, k3s-io/k3s#3723.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from vipkeeper.config.tree import Span
from vipkeeper.lint.compare import is_proven
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK602", "even-servers", Severity.WARNING, Reach.CLUSTER, (), Confidence.LIKELY)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Count the servers with etcd, if all of them are known or may be."""
    facts = cluster.facts
    outsiders = _without_etcd(cluster)
    known = [server for server in facts.servers if server.name not in outsiders]
    outside = any("datastore-endpoint" in server.settings for server in cluster.servers)
    guessed = facts.tree and all(is_proven(server) for server in cluster.control_plane)
    if not (facts.complete or guessed) or outside or not known or len(known) % 2:
        return
    span = _place(cluster, known[0].origin)
    if span is None:
        return
    names = ", ".join(server.name for server in known[:6])
    lost = "either loss stops the API" if len(known) == 2 else "one more bears no more losses"
    yield RULE.finding(
        span,
        f"{len(known)} servers ({names}, from {known[0].origin or 'their folders'}): {lost}",
        help=f"have {len(known) + 1}, or {len(known) - 1}",
        confidence=None if facts.complete else Confidence.POSSIBLE,
    )


def _place(cluster: Cluster, origin: str) -> Span | None:
    """Where the servers are listed, else where one is configured."""
    listed = cluster.sources.get(origin)
    if listed is not None:
        return listed.start
    starts = (server.settings.start for server in cluster.control_plane)
    anywhere = (source.start for source in cluster.sources.values())
    return next((span for span in chain(starts, anywhere) if span is not None), None)


def _without_etcd(cluster: Cluster) -> set[str]:
    """Names of machines that are no members."""
    rancher = bool(cluster.control_plane)
    return {
        server.name
        for server in cluster.servers
        if server.is_agent
        or server.settings.is_true("disable-etcd")
        or (rancher and all(isinstance(d, (Keepalived, Haproxy)) for d in server.documents))
    }
