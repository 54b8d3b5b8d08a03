"""`node-ip` is missing on a server that can hold the VIP.

## What it does
Reports servers with kube-vip, keepalived or vipkeeper and without `node-ip`.

## Why it is bad
Without it the server takes the first address of the interface with the default route. Linux lists the newest IPv6 address first,
so a restart while the VIP is there makes the VIP the address of etcd's member: `this server is not a member of the etcd
cluster. Found ..., expect: ...`. With IPv4 that happens only if the server's own address was removed and added again
(DHCP, netplan) while the VIP was there.

## Example
Bad:
```yaml
# etc/vipkeeper/cluster.yaml
vip: "fd00:1::100"
servers: {cp1: "fd00:1::11"}

# etc/rancher/rke2/config.yaml
token: abc
tls-san: ["fd00:1::100"]
```
```console
$ vipkeeper lint etc/vipkeeper/cluster.yaml etc/rancher/rke2/config.yaml
```

Good:
```yaml
# etc/vipkeeper/cluster.yaml
vip: "fd00:1::100"
servers: {cp1: "fd00:1::11"}

# etc/rancher/rke2/config.yaml
token: abc
tls-san: ["fd00:1::100"]
node-ip: fd00:1::11
```
```console
$ vipkeeper lint etc/vipkeeper/cluster.yaml etc/rancher/rke2/config.yaml
```

## How to fix
Set `node-ip` on every server to its own address.

## How to verify
`kubectl get nodes -o wide` shows an own address for each server, also after a restart of the holder.

## References
kube-vip/kube-vip#741, lablabs/ansible-role-rke2#158, rancher/rke2#4250.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import shown_name
from vipkeeper.lint.kinds import KUBEVIP, SETTINGS, Kind
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK117", "node-ip-missing", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY)
_MANAGERS = (*KUBEVIP, Kind.KEEPALIVED, Kind.OWN_CONFIG)


def check(server: Server) -> Iterator[Finding]:
    """IPv6: the VIP is taken for sure; IPv4: only after the own address was away."""
    start = None if server.settings.is_part else server.settings.start
    managers = server.of(*_MANAGERS)
    if start is None or server.is_agent or not managers or server.settings.value("node-ip"):
        return
    for vip in server.facts.vips:
        newest = vip.address.version == 6
        when = "at a restart" if newest else "if the own address is away for a moment"
        yield RULE.finding(
            start,
            f"without 'node-ip' {shown_name(server)} takes the VIP {vip} for its own {when}",
            help="node-ip: the server's own address",
            related=[Related(managers[0].source.start, "this puts the VIP on the server")],
            severity=None if newest else Severity.INFO,
            confidence=None if newest else Confidence.POSSIBLE,
        )
