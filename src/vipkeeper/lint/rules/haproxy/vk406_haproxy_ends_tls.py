"""haproxy ends TLS before the control plane.

## What it does
Reports `ssl` on a `bind` whose clients go to port 6443 or 9345.

## Why it is bad
Client certificates end at haproxy: kubelets, RKE2 servers and kubeconfigs with certificates are anonymous and get
`Unauthorized`. A joining server sees the certificate of haproxy: `token CA hash does not match the Cluster CA
certificate hash`.

## Example
Bad:
```
frontend api
    bind *:6443 ssl crt /etc/haproxy/vip.pem
    default_backend api

backend api
    server cp1 10.10.10.11:6443 check
```

Good:
```
frontend api
    bind *:6443
    default_backend api

backend api
    server cp1 10.10.10.11:6443 check
```

## How to fix
Pass TLS through, in mode tcp. The name or address of the VIP belongs into `tls-san` of the servers.

## How to verify
`openssl s_client -connect VIP:6443` shows a certificate of the cluster.

## References
rancher/rke2#3033; Kubernetes, "Authenticating", X.509 client certificates.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import pools
from vipkeeper.lint.scope import File

RULE = Rule("VK406", "haproxy-ends-tls", Severity.ERROR, Reach.FILE, (Kind.HAPROXY,))


def check(file: File[Haproxy]) -> Iterator[Finding]:
    """Each bind of each pool."""
    seen = set()
    for pool in pools(file.document):
        for bind in pool.fronts:
            line = next(
                (
                    d
                    for d in bind.section.all("bind")
                    if d.words[1:2] and d.words[1].span == bind.span
                ),
                None,
            )
            word = next((w for w in line.words if w.text == "ssl"), None) if line else None
            if word is not None and line is not None and line.span not in seen:
                seen.add(line.span)
                yield RULE.finding(
                    word.span,
                    f"client certificates for port {pool.port} end here: their users are anonymous",
                    help="delete ssl and crt, with mode tcp",
                    related=[Related(pool.servers[0].span, "a server of the control plane")],
                )
