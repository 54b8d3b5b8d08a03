"""haproxy sends a header that the control plane does not read.

## What it does
Reports `send-proxy` and `send-proxy-v2` on servers on port 6443 or 9345.

## Why it is bad
Neither the API server nor the supervisor of RKE2 reads the PROXY protocol: they take the header for a broken TLS
hello and close, `first record does not look like a TLS handshake`.

## Example
Bad:
```
server cp1 10.10.10.11:6443 check send-proxy
```

Good:
```
server cp1 10.10.10.11:6443 check
```

## How to fix
Delete it.

## How to verify
`curl -k https://VIP:6443/version` gets an answer of the API server.

## References
haproxy "send-proxy"; Kubernetes has no PROXY protocol in kube-apiserver.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import pools
from vipkeeper.lint.scope import File

RULE = Rule("VK414", "haproxy-send-proxy", Severity.ERROR, Reach.FILE, (Kind.HAPROXY,))
_WORDS = ("send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn")


def check(file: File[Haproxy]) -> Iterator[Finding]:
    """Each line of each pool."""
    for pool in pools(file.document):
        default = file.document.setting(pool.section, "default-server")
        for line in (*pool.servers, *([default] if default is not None else [])):
            word = next((w for w in line.words if w.text in _WORDS), None)
            if word is not None:
                yield RULE.finding(
                    word.span,
                    f"port {pool.port} does not read the PROXY protocol: every connection breaks",
                    help=f"delete {word.text}",
                )
                break
