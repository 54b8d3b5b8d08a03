"""haproxy listens on a port that the server itself uses.

## What it does
Reports `bind` on 6443 or 9345 where RKE2 or k3s runs on the same server: on every address, on one of its own or on the
VIP. With `bind-address` RKE2's supervisor (9345) and k3s (6443) listen on that address and on loopback only, and the
others are free; RKE2's API server listens on every address all the same.

## Why it is bad
The API server listens on 0.0.0.0:6443 and the supervisor on 9345. Whichever starts second fails with
`address already in use`: either haproxy is not there, or the server does not come up after the next reboot.

## Example
Bad:
```
# etc/rancher/rke2/config.yaml
token: abc

# etc/haproxy/haproxy.cfg
frontend api
    bind *:6443
    default_backend api
```

Good:
```
# etc/rancher/rke2/config.yaml
token: abc

# etc/haproxy/haproxy.cfg
frontend api
    bind 10.10.10.100:7443
    default_backend api
```

## How to fix
Leave haproxy out: a VIP on the servers needs none. Or run it on machines of its own, or on another port that
kubeconfigs and `server` then name.

## How to verify
`ss -ltnp 'sport = :6443'` shows one program.

## References
haproxy "bind"; RKE2 `pkg/cli/defaults/defaults.go`; k3s `pkg/util/net.go` (`ListenWithLoopback`).
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Bind, Haproxy
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.haproxy.supervisor import only_on
from vipkeeper.lint.scope import Server, as_address

RULE = Rule("VK401", "haproxy-port-taken", Severity.ERROR, Reach.SERVER, (Kind.HAPROXY,))
_ALL = ("", "*", "0.0.0.0", "::")


def check(server: Server) -> Iterator[Finding]:
    """Compare the binds with the ports of the server's own programs."""
    start = server.settings.start
    if start is None or server.is_agent:
        return
    users = {6443: "the API server"}
    if server.settings.product is Product.RKE2:
        users[9345] = "RKE2's supervisor"
    for haproxy in server.all(Haproxy):
        for bind in haproxy.binds:
            user = users.get(bind.port)
            if user is not None and _is_taken(server, bind):
                yield RULE.finding(
                    bind.span,
                    f"port {bind.port} is already used by {user} of this server",
                    help="leave haproxy out, move it to another machine, or choose another port",
                    related=[Related(start, "this makes the machine a server")],
                )


def _is_taken(server: Server, bind: Bind) -> bool:
    """Whether a program of the server listens on this address too."""
    address = as_address(bind.address)
    if bind.address in _ALL or (address is not None and address.is_loopback):
        return True
    only = only_on(server)
    if only is not None and bind.port == server.settings.product.supervisor_port:
        return address == only
    return address in server.addresses or server.facts.is_vip(bind.address) is not None
