"""kube-vip has no VIP for the control plane, or one that it cannot use.

## What it does
Reports `address` with a prefix length, a port or a scheme, an installation with `cp_enable` and no address, and one
with an address that serves Services only.

## Why it is bad
Nobody holds the VIP of the control plane. An address such as `10.10.10.100/32` is taken for a host name that does not
resolve; without `cp_enable` the address is not used at all; the joining servers get `no route to host`.

## Example
Bad:
```yaml
env:
  - {name: vip_arp, value: "true"}
  - {name: cp_enable, value: "true"}
  - {name: address, value: 10.10.10.100/32}
```

Good:
```yaml
env:
  - {name: vip_arp, value: "true"}
  - {name: cp_enable, value: "true"}
  - {name: address, value: 10.10.10.100}
  - {name: vip_subnet, value: "32"}
```

## How to fix
Write the address alone; the prefix length is `vip_subnet`, the port is `port`.

## How to verify
`ip addr` of the holder shows the VIP.

## References
kube-vip `pkg/kubevip/config_envvar.go`, `pkg/cluster/cluster.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK207", "kube-vip-address", Severity.ERROR, Reach.FILE, KUBEVIP)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Look at the address and at what it is for."""
    kubevip = file.document
    for text, span in kubevip.addresses:
        if "/" in text or (text.count(":") == 1 and "." in text) or text.startswith("["):
            yield RULE.finding(
                span,
                f"kube-vip takes '{shown(text)}' for a host name that does not resolve",
                help="write the address alone; vip_subnet has the prefix length, port the port",
            )
    if not kubevip.is_complete or kubevip.image is None:
        return
    address = kubevip.variable("address") or kubevip.variable("vip_address")
    if kubevip.is_true("cp_enable") and address is None and not kubevip.is_true("vip_ddns"):
        yield RULE.finding(
            kubevip.image.span,
            "kube-vip has no 'address': there is no VIP",
            help="add {name: address, value: VIP}",
        )
    elif address is not None and address.text and not kubevip.is_true("cp_enable"):
        yield RULE.finding(
            address.span,
            f"'cp_enable' is not on: '{shown(address.text)}' is not held for the control plane",
            help='add {name: cp_enable, value: "true"}',
        )
