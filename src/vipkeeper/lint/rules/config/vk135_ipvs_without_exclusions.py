"""kube-proxy in IPVS mode meets a VIP manager that uses IPVS or ARP.

## What it does
Reports `proxy-mode=ipvs` in `kube-proxy-arg` without `ipvs-exclude-cidrs` where keepalived has a `virtual_server` or kube-vip balances by
IPVS (`lb_enable`), and without `ipvs-strict-arp` where kube-vip holds addresses of services (`svc_enable`).

## Why it is bad
kube-proxy removes IPVS entries that it did not make, so the balancing behind the VIP vanishes at its next sync (30 s). Without strict
ARP every node answers for the addresses of services on kube-ipvs0, and traffic goes to a node that is not the holder.

## Example
Bad:
```yaml
# etc/rancher/rke2/config.yaml
kube-proxy-arg:
  - proxy-mode=ipvs

# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
env:
  - {name: address, value: 10.10.10.100}
  - {name: svc_enable, value: "true"}
  - {name: lb_enable, value: "true"}
```

Good:
```yaml
# etc/rancher/rke2/config.yaml
kube-proxy-arg:
  - proxy-mode=ipvs
  - ipvs-strict-arp=true
  - ipvs-exclude-cidrs=10.10.10.100/32

# var/lib/rancher/rke2/agent/pod-manifests/kube-vip.yaml
env:
  - {name: address, value: 10.10.10.100}
  - {name: svc_enable, value: "true"}
  - {name: lb_enable, value: "true"}
```

## How to fix
Add both arguments on every server and agent, or let the VIP manager hold the address only.

## How to verify
`ipvsadm -Ln` keeps the entries of the VIP for more than a minute.

## References
kubernetes kube-proxy `--ipvs-exclude-cidrs`, `--ipvs-strict-arp`; kube-vip documentation, "Kube-proxy requirements".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Span
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule(
    "VK135", "ipvs-without-exclusions", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY
)


def check(server: Server) -> Iterator[Finding]:
    """What kube-proxy does against what the VIP managers of this server need."""
    given = {}
    for value in server.settings.values("kube-proxy-arg"):
        name, _, text = value.text.lstrip("-").partition("=")
        given[name] = (text, value)
    mode = given.get("proxy-mode")
    if mode is None or mode[0] != "ipvs":
        return
    own = _virtual_server(server)
    if own and "ipvs-exclude-cidrs" not in given:
        vip = str(server.facts.vips[0]) if server.facts.vips else "VIP"
        yield RULE.finding(
            mode[1].span,
            "kube-proxy in IPVS mode removes the IPVS entries of the VIP manager",
            help=f"add - ipvs-exclude-cidrs={vip}/{128 if ':' in vip else 32}",
            related=[Related(own, "this balances by IPVS")],
        )
    services = next((k for k in server.all(KubeVip) if k.is_true("svc_enable")), None)
    strict = given.get("ipvs-strict-arp")
    if services and (strict is None or strict[0] not in ("", "true")):
        yield RULE.finding(
            mode[1].span,
            "kube-proxy in IPVS mode lets every node answer ARP for addresses of services",
            help="add - ipvs-strict-arp=true",
            related=[Related(services.source.start, "kube-vip holds addresses of services")],
            severity=Severity.WARNING,
        )


def _virtual_server(server: Server) -> Span | None:
    for kubevip in server.all(KubeVip):
        variable = kubevip.variable("lb_enable")
        if variable is not None and kubevip.is_true("lb_enable"):
            return variable.span
    for keepalived in server.all(Keepalived):
        for block in keepalived.blocks("virtual_server"):
            return block.span
    return None
