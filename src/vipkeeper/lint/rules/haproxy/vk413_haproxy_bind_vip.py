"""haproxy listens on a VIP that this machine may not hold.

## What it does
Reports `bind` on the VIP without `transparent` on a machine where keepalived or kube-vip moves it.

## Why it is bad
haproxy does not start where the VIP is not: `cannot bind socket (Cannot assign requested address)`. After a move the
new holder has the VIP and no haproxy. With `net.ipv4.ip_nonlocal_bind=1`, which is in none of these files, all is
well.

## Example
Bad:
```
# etc/keepalived/keepalived.conf
virtual_ipaddress {
    10.10.10.100
}

# etc/haproxy/haproxy.cfg
frontend api
    bind 10.10.10.100:6443
    default_backend api
```

Good:
```
# etc/keepalived/keepalived.conf
virtual_ipaddress {
    10.10.10.100
}

# etc/haproxy/haproxy.cfg
frontend api
    bind *:6443
    default_backend api
```

## How to fix
Listen on every address where nothing else uses the port, or add `transparent` to the bind, or set
`net.ipv4.ip_nonlocal_bind=1` and ignore this finding.

## How to verify
`systemctl restart haproxy` works on the machine without the VIP.

## References
haproxy 2.6, "bind", "transparent"; kernel `Documentation/networking/ip-sysctl.rst`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import Server, as_address

RULE = Rule(
    "VK413",
    "haproxy-bind-vip",
    Severity.WARNING,
    Reach.SERVER,
    (Kind.HAPROXY,),
    Confidence.POSSIBLE,
)


def check(server: Server) -> Iterator[Finding]:
    """Each bind on an address that keepalived or kube-vip of this machine holds."""
    held = {
        address
        for conf in server.all(Keepalived)
        for instance in conf.instances
        for word in instance.vips
        if (address := as_address(word.text))
    }
    held |= {a for k in server.all(KubeVip) for text, _ in k.addresses if (a := as_address(text))}
    for haproxy in server.all(Haproxy):
        for bind in haproxy.binds:
            line = next(
                (
                    d
                    for d in bind.section.all("bind")
                    if d.words[1:2] and d.words[1].span == bind.span
                ),
                None,
            )
            if as_address(bind.address) in held and not (line and line.has("transparent")):
                yield RULE.finding(
                    bind.span,
                    f"haproxy does not start where {bind.address} is not, unless ip_nonlocal_bind is set",
                    help=f"bind *:{bind.port}, or add transparent",
                )
