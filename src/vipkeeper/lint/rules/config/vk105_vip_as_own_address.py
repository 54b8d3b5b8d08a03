"""The VIP is set as an address of the server itself.

## What it does
Reports the VIP in `node-ip`, `node-external-ip`, `advertise-address` or `bind-address`.

## Why it is bad
The VIP moves, a server's address must not. With the VIP as `node-ip` etcd's member and the kubelet are known by an address that
another server has after the next move: etcd answers `the peer URL is different`, logs and exec go to the wrong machine.
With `bind-address` the supervisor starts only where the VIP is.

## Example
Bad:
```yaml
node-ip: 10.10.10.100
tls-san: [10.10.10.100]
```

Good:
```yaml
node-ip: 10.10.10.11
tls-san: [10.10.10.100]
```

## How to fix
Set `node-ip` to the server's own address, leave the other keys out, and name the VIP in `tls-san` only.

## How to verify
`kubectl get nodes -o wide` shows an own address for each server.

## References
kube-vip/kube-vip#741, kube-vip/kube-vip#1017.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import Server

RULE = Rule(
    "VK105", "vip-as-own-address", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY
)
_KEYS = ("node-ip", "node-external-ip", "advertise-address", "bind-address")


def check(server: Server) -> Iterator[Finding]:
    """Look for the VIP in the keys that mean the server itself."""
    for key in _KEYS:
        for value in server.settings.values(key):
            vip = server.facts.is_vip(value.text)
            if vip is not None:
                yield RULE.finding(
                    value.span,
                    f"'{key}' is an address of this server alone, and {vip} is the VIP",
                    help=f"{key}: the server's own address; the VIP belongs into tls-san",
                    related=[Related(vip.span, f"the VIP ({vip.origin})")] if vip.span else (),
                )
