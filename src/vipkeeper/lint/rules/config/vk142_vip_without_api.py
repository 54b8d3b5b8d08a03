"""The VIP can come to a server without an API server.

## What it does
Reports keepalived, or a static pod of kube-vip, on a server with `disable-apiserver: true`.

## Why it is bad
Nothing listens on 6443 there. When the VIP comes to it all clients get `connection refused`, although the other servers are healthy.
kube-vip does not even start, as it finds no API on its own host.

## Example
Bad:
```yaml
# etc/rancher/rke2/config.yaml
disable-apiserver: true

# etc/keepalived/keepalived.conf
virtual_ipaddress {
    10.10.10.100
}
```

Good:
```yaml
# etc/rancher/rke2/config.yaml
disable-etcd: false        # an API server on every server that can hold the VIP

# etc/keepalived/keepalived.conf
virtual_ipaddress {
    10.10.10.100
}
```

## How to fix
Run the VIP manager on servers with an API server only.

## How to verify
`curl -k https://127.0.0.1:6443/livez` on each server that can hold the VIP answers, be it with 401.

## References
RKE2 documentation, "Server roles".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import shown_name
from vipkeeper.lint.kinds import SETTINGS, Kind
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK142", "vip-without-api", Severity.WARNING, Reach.SERVER, SETTINGS, Confidence.LIKELY)


def check(server: Server) -> Iterator[Finding]:
    """Managers that belong to this server alone."""
    setting = server.settings.get("disable-apiserver")
    if setting is None or not server.settings.is_true("disable-apiserver"):
        return
    for document in server.of(Kind.KEEPALIVED, Kind.KUBEVIP_POD):
        name = "keepalived" if document.kind is Kind.KEEPALIVED else "kube-vip"
        yield RULE.finding(
            setting.span,
            f"{shown_name(server)} has no API server, and {name} can bring the VIP here",
            help=f"run {name} on servers with an API server only",
            related=[Related(document.source.start, name)],
        )
