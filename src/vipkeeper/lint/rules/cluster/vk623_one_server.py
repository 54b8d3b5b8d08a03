"""One server holds the VIP: nobody takes over.

## What it does
Reports clusters with a VIP whose list of servers is known to be complete and has one member.

## Why it is bad
It is not: one server serves its VIP as well as its own address, and an election of one is decided at once. When it is down the API
is down, which no VIP can change. The use of a VIP here is that more servers can join later and kubeconfigs stay as they are.

## Example
Bad:
```yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11
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
For a cluster that survives the loss of a server have three; two are worse than one.

## How to verify
`curl -k https://VIP:6443/livez` is answered while the server runs, be it with 401.

## References
rancher/rke2#2753; RKE2 `tests/e2e/kubevip`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK623", "one-server", Severity.INFO, Reach.CLUSTER, ())


def check(cluster: Cluster) -> Iterator[Finding]:
    """Only where the list of servers is complete."""
    facts = cluster.facts
    if not facts.complete or len(facts.servers) != 1 or not facts.vips:
        return
    vip = facts.vips[0]
    span = vip.span or next((source.start for source in cluster.sources.values()), None)
    if span is not None:
        name = facts.servers[0].name or "the one server"
        yield RULE.finding(
            span,
            f"the VIP {vip} answers while {name} runs, and nobody takes over when it does not",
            help="leave it, or have 3 servers for a successor",
        )
