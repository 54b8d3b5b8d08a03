"""A kubeconfig talks to the supervisor of RKE2.

## What it does
Reports kubeconfigs whose server has port 9345.

## Why it is bad
9345 is where servers and agents join; no API of Kubernetes is there: kubectl says `the server could not find the
requested resource` or `Unauthorized`.

## Example
Bad:
```yaml
server: https://10.10.10.100:9345
```

Good:
```yaml
server: https://10.10.10.100:6443
```

## How to fix
Write port 6443.

## How to verify
`kubectl --kubeconfig FILE get nodes` lists the nodes.

## References
RKE2 docs, "High Availability" (9345 is for registration).
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.facts import port_of
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubeconfig import Kubeconfig
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity, replace
from vipkeeper.lint.scope import File

RULE = Rule("VK501", "kubeconfig-supervisor-port", Severity.ERROR, Reach.FILE, (Kind.KUBECONFIG,))


def check(file: File[Kubeconfig]) -> Iterator[Finding]:
    """The port of each server."""
    for url in file.document.servers:
        if port_of(url.text) == 9345:
            yield RULE.finding(
                url.span,
                f"'{shown(url.text)}' is where servers join; the API is on port 6443",
                help=f"write {shown(url.text.replace(':9345', ':6443'))}",
                fix=replace(url.span, url.text.replace(":9345", ":6443"), "write port 6443"),
            )
