"""The VIP lies in no subnet of the servers.

## What it does
Reports a VIP that shares not even its first 16 bits (IPv6: 64) with any known address of a server. How large the subnets are is not in these
files, so a VIP in the next subnet is not seen, unless `--servers cp1=10.10.10.11/24,...` says it for every known address of the
VIP's family (`cp1=10.10.10.11/24+2001:db8::11/64` for both): then a VIP outside of all these subnets is an error. A VIP that kube-vip
announces by BGP or in routing tables may lie anywhere.

## Why it is bad
A VIP is found by ARP or neighbour discovery, in the subnet of the interface that holds it. Outside of it no router asks: `no route to host`
or a timeout from everywhere, while `ip addr` shows the VIP on a server.

## Example
Bad:
```yaml
vip: 10.20.0.100
servers:
  cp1: 10.10.10.11
```

Good:
```yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11
```

## How to fix
Take a free address of the servers' own subnet, outside of DHCP ranges.

## How to verify
`arping -I eth0 VIP` from another machine of that subnet is answered.

## References
kube-vip documentation, "ARP mode".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.lint.networks import as_network
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, IPNetwork, Vip

RULE = Rule("VK612", "vip-out-of-reach", Severity.WARNING, Reach.CLUSTER, (), Confidence.POSSIBLE)
_SHARED = {4: 16, 6: 64}
_ROUTED = ("bgp_enable", "vip_routingtable", "enable_bgp")


def _length(cluster: Cluster, vip: Vip) -> int:
    """The prefix length that addresses of one subnet may have: what is written with the VIP, if that is wider."""
    usual = _SHARED[vip.address.version]
    source = cluster.sources.get(vip.span.file) if vip.span is not None else None
    line = source.line(vip.span.line) if source is not None and vip.span is not None else ""
    written = re.search(rf"{re.escape(str(vip.address))}/(\d{{1,3}})\b", line)
    return min(usual, int(written[1])) if written is not None else usual


def check(cluster: Cluster) -> Iterator[Finding]:
    """Every VIP against every known address."""
    if any(k.is_true(name) for k in cluster.all(KubeVip) for name in _ROUTED):
        return
    own = [(k.name, address) for k in cluster.facts.servers for address in k.addresses]
    own += [(s.name, address) for s in cluster.servers for address in s.addresses]
    vips = cluster.facts.vips
    addresses = [
        (name, address) for name, address in own if address not in {v.address for v in vips}
    ]
    for vip in vips if addresses else ():
        span = vip.span or next((s.start for s in cluster.sources.values()), None)
        same = [found for found in addresses if found[1].version == vip.address.version]
        subnets = _subnets(cluster, vip)
        if subnets and all(any(a in net for net in subnets) for _, a in same):
            if span is not None and not any(vip.address in net for net in subnets):
                yield RULE.finding(
                    span,
                    f"the VIP {vip} ({vip.origin}) is in no subnet of the servers: {_list(subnets)}",
                    help="take a free address of the servers' own subnet",
                    severity=Severity.ERROR,
                    confidence=Confidence.CERTAIN,
                )
            continue
        near = as_network(f"{vip.address}/{_length(cluster, vip)}")
        if span is None or near is None or not same or any(a in near for _, a in same):
            continue
        name, address = same[0]
        yield RULE.finding(
            span,
            f"the VIP {vip} ({vip.origin}) is far from every server: {name or 'this one'} has {address}",
            help="take a free address of the servers' own subnet",
        )


def _subnets(cluster: Cluster, vip: Vip) -> list[IPNetwork]:
    """Those of the VIP's family, where they are known for every server; else none."""
    found: list[IPNetwork] = []
    for known in cluster.facts.servers:
        own = [net for address, net in known.interfaces if address.version == vip.address.version]
        some = [net for net in own if net is not None]
        if not some or len(some) < len(own):
            return []
        found += some
    return found if cluster.facts.complete else []


def _list(subnets: list[IPNetwork]) -> str:
    return ", ".join(sorted({str(subnet) for subnet in subnets}))
