"""A kubeconfig does not verify the server.

## What it does
Reports `insecure-skip-tls-verify: true`.

## Why it is bad
It hides that the VIP is missing in `tls-san`, which joining servers and agents do verify: kubectl works and they say
`x509: certificate is valid for ..., not VIP`. And whoever answers for the VIP gets the credentials of the user.

## Example
Bad:
```yaml
server: https://10.10.10.100:6443
insecure-skip-tls-verify: true
```

Good:
```yaml
server: https://10.10.10.100:6443
certificate-authority-data: LS0t...
```

## How to fix
Add the VIP to `tls-san` of every server, restart them, and give the authority of the cluster.

## How to verify
`kubectl --kubeconfig FILE get nodes` works without it.

## References
k3s-io/k3s#9257.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Mapping
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubeconfig import Kubeconfig
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File
from vipkeeper.lint.yaml11 import resolve

RULE = Rule("VK502", "kubeconfig-unverified", Severity.WARNING, Reach.FILE, (Kind.KUBECONFIG,))


def check(file: File[Kubeconfig]) -> Iterator[Finding]:
    """The switch of each cluster."""
    for item in file.document.root.items("clusters"):
        cluster = item.mapping("cluster") if isinstance(item, Mapping) else None
        skip = cluster.scalar("insecure-skip-tls-verify") if cluster is not None else None
        if skip is not None and resolve(skip).text == "true":
            yield RULE.finding(
                skip.span,
                "the certificate is not verified: a VIP missing in tls-san is not noticed",
                help="give certificate-authority-data, and the VIP in tls-san",
            )
