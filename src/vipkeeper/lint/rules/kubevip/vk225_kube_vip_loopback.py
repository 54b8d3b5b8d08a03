"""kube-vip announces the VIP on the loopback.

## What it does
Reports `vip_interface: lo` in ARP mode.

## Why it is bad
The VIP is on the holder, but the announcements go nowhere: hosts of the network never learn where it is, and after a
move keep talking to the old holder. `lo` is for BGP.

## Example
Bad:
```yaml
env:
  - {name: vip_arp, value: "true"}
  - {name: vip_interface, value: lo}
```

Good:
```yaml
env:
  - {name: vip_arp, value: "true"}
  - {name: vip_interface, value: eth0}
```

## How to fix
Name the card that is in the network of the VIP, or leave it out: then it is that of the default route.

## How to verify
`tcpdump -ni eth0 arp` shows announcements of the VIP.

## References
kube-vip `pkg/arp/arp.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK225", "kube-vip-loopback", Severity.ERROR, Reach.FILE, KUBEVIP)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """The card, in ARP mode."""
    variable, arp = file.document.variable("vip_interface"), file.document.variable("vip_arp")
    if (
        variable is not None
        and variable.text == "lo"
        and arp is not None
        and file.document.uses_arp
    ):
        yield RULE.finding(
            variable.span,
            "the VIP is announced on the loopback, where nobody hears it",
            help="name the card of the network",
            related=[Related(arp.span, "ARP mode is on")],
        )
