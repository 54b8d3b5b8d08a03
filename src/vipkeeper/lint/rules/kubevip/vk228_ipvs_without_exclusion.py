"""kube-proxy deletes the load balancer of the VIP.

## What it does
Reports kube-proxy in IPVS mode without an exclusion of the VIP, where kube-vip (`lb_enable`) or keepalived
(`virtual_server`) balances it by IPVS on the same servers.

## Why it is bad
kube-proxy removes every IPVS service that it did not make. kube-vip makes it again, and so on: connections to the VIP
break every few seconds.

## Example
Bad:
```yaml
# etc/rancher/rke2/config.yaml
kube-proxy-arg:
  - proxy-mode=ipvs

# etc/keepalived/keepalived.conf
virtual_server 10.10.10.100 6443 {
    lb_kind DR
    real_server 10.10.10.11 6443 {
    }
}
```

Good:
```yaml
# etc/rancher/rke2/config.yaml
kube-proxy-arg:
  - proxy-mode=ipvs
  - ipvs-exclude-cidrs=10.10.10.100/32

# etc/keepalived/keepalived.conf
virtual_server 10.10.10.100 6443 {
    lb_kind DR
    real_server 10.10.10.11 6443 {
    }
}
```

## How to fix
Exclude the VIP: `ipvs-exclude-cidrs`, in a KubeProxyConfiguration `ipvs.excludeCIDRs`.

## How to verify
`ipvsadm -Ln` shows the VIP for a minute without a break.

## References
kube-vip/kube-vip#745, kube-vip/kube-vip#454, kube-vip/kube-vip#784.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from vipkeeper.config.tree import Scalar, Span
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.parsers.kubernetes import KubeObject
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import IPAddress, Server, as_address

RULE = Rule(
    "VK228",
    "ipvs-without-exclusion",
    Severity.ERROR,
    Reach.SERVER,
    (
        Kind.KUBEVIP_POD,
        Kind.KUBEVIP_DAEMONSET,
        Kind.KUBEVIP_VALUES,
        Kind.KUBEVIP_CHART,
        Kind.KEEPALIVED,
    ),
)


def check(server: Server) -> Iterator[Finding]:
    """Whether kube-proxy, in IPVS mode, leaves the VIP alone."""
    balanced = [
        (address, variable.span)
        for kubevip in server.all(KubeVip)
        if kubevip.is_true("lb_enable") and (variable := kubevip.variable("lb_enable"))
        for address, _ in kubevip.addresses
    ]
    for keepalived in server.all(Keepalived):
        for block in keepalived.blocks("virtual_server"):
            if block.value is not None and server.facts.is_vip(block.value.text):
                balanced.append((block.value.text, block.span))
    for mode, excluded in _proxies(server):
        for text, span in balanced:
            address = as_address(text)
            if address is not None and not any(_covers(cidr, address) for cidr in excluded):
                yield RULE.finding(
                    mode,
                    f"kube-proxy deletes the IPVS service of {address} again and again",
                    help=f"exclude {address}/{address.max_prefixlen} (ipvs-exclude-cidrs)",
                    related=[Related(span, "the VIP is balanced by IPVS")],
                )


def _proxies(server: Server) -> Iterator[tuple[Span, list[str]]]:
    """Each setting of IPVS mode, with the ranges that are left alone."""
    arguments = [
        (value.text.lstrip("-").partition("="), value.span)
        for value in server.settings.values("kube-proxy-arg")
    ]
    for (name, _, value), span in arguments:
        if (name, value) == ("proxy-mode", "ipvs"):
            lists = [v for (n, _, v), _ in arguments if n == "ipvs-exclude-cidrs"]
            yield span, [cidr for text in lists for cidr in text.split(",")]
    for document in server.all(KubeObject):
        mode = document.root.scalar("mode")
        if document.object_kind == "KubeProxyConfiguration" and mode and mode.text == "ipvs":
            items = document.root.items("ipvs", "excludeCIDRs")
            yield mode.span, [item.text for item in items if isinstance(item, Scalar)]


def _covers(cidr: str, address: IPAddress) -> bool:
    try:
        network = ip_network(cidr.strip(), strict=False)
    except ValueError:
        return False
    return network.version == address.version and address in network
