"""An argument keeps the API server away from the VIP.

## What it does
Reports in `kube-apiserver-arg` a `bind-address` that is no wildcard, another `secure-port` (both on RKE2; the API server of k3s is behind
its own listener), and the VIP as `advertise-address`.

## Why it is bad
Port 6443 of the VIP answers `connection refused` while the server's own address may work. With the VIP as `advertise-address` every
server registers the same address for the service `kubernetes`: pods reach one server only, and nobody while the VIP moves.

## Example
Bad:
```yaml
kube-apiserver-arg:
  - bind-address=10.10.10.11
```

Good:
```yaml
kube-apiserver-arg:
  - audit-log-maxage=30
```

## How to fix
Remove the argument. RKE2 lets the API server listen on 0.0.0.0:6443 and advertises `node-ip`.

## How to verify
`ss -ltn 'sport = :6443'` shows `*:6443`; `kubectl get endpointslices kubernetes` lists each server.

## References
RKE2 `pkg/cli/defaults/defaults.go`; kube-apiserver `--bind-address`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server, as_address

RULE = Rule(
    "VK131", "apiserver-arg-closes-vip", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY
)


def check(server: Server) -> Iterator[Finding]:
    """Arguments by name."""
    rke2 = server.settings.product is Product.RKE2
    for value in server.settings.values("kube-apiserver-arg"):
        name, _, text = value.text.lstrip("-").partition("=")
        address = as_address(text)
        if name == "advertise-address" and server.facts.is_vip(text):
            message = f"every server would register the VIP {text} as its own address"
        elif rke2 and name == "secure-port" and text != "6443":
            message = (
                f"the API server would listen on port {shown(text)}; clients of the VIP use 6443"
            )
        elif rke2 and name == "bind-address" and address and _closed(server, text):
            message = f"with {name}={text} the API server does not listen on the VIP"
        else:
            continue
        yield RULE.finding(value.span, message, help="remove the argument")


def _closed(server: Server, text: str) -> bool:
    """Whether that address alone leaves clients outside."""
    address = as_address(text)
    if address is None or address.is_unspecified:
        return False
    return address.is_loopback or (bool(server.facts.vips) and not server.facts.is_vip(text))
