"""An address of the server is none, or one that no server can have.

## What it does
Reports values of `node-ip`, `node-external-ip`, `advertise-address` and `bind-address` that are no IP address (a prefix length, a name),
and loopback, link-local, multicast and unspecified addresses in `node-ip`.

## Why it is bad
The server does not start: `invalid ip format '10.10.10.11/24'`. With a loopback address the kubelet refuses (`nodeIP can't be
loopback address`), and etcd's peers would be told an address that leads to themselves.

## Example
Bad:
```yaml
node-ip: 10.10.10.11/24
```

Good:
```yaml
node-ip: 10.10.10.11
```

## How to fix
Write the server's address alone, as `ip -br addr` shows it, without what follows the slash.

## How to verify
`kubectl get nodes -o wide` shows it as INTERNAL-IP.

## References
k3s `pkg/util/net.go`; kubelet `--node-ip`.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
    replace,
)
from vipkeeper.lint.scope import Server, as_address
from vipkeeper.lint.settings import Value

RULE = Rule("VK116", "bad-own-address", Severity.ERROR, Reach.SERVER, SETTINGS)
_KEYS = ("node-ip", "node-external-ip", "advertise-address", "bind-address")


def check(server: Server) -> Iterator[Finding]:
    """Every address that means the server itself."""
    for key in _KEYS:
        for value in server.settings.values(key):
            if value.text:
                yield from _judge(key, value)


def _judge(key: str, value: Value) -> Iterator[Finding]:
    try:
        address = ip_address(value.text)
    except ValueError:
        plain = as_address(value.text)
        yield RULE.finding(
            value.span,
            f"'{key}' is an IP address, and '{shown(value.text)}' is none",
            help=f"write {plain}" if plain else "write the server's address",
            fix=replace(value.span, str(plain), f"write {plain}")
            if plain and value.scalar
            else None,
        )
        return
    for unusable in ("loopback", "multicast", "link_local", "unspecified"):
        if key == "node-ip" and getattr(address, f"is_{unusable}"):
            what = unusable.replace("_", "-")
            yield RULE.finding(
                value.span, f"no server has the {what} address {address} as 'node-ip'"
            )
