"""kube-vip cannot watch the link of this card.

## What it does
Reports `vip_loseleadership` with a card that by its name is a bond, bridge, VLAN or team.

## Why it is bad
kube-vip can watch physical cards only; for others it gives an error, ends, starts again and ends again. Nobody keeps
the VIP.

## Example
Bad:
```yaml
env:
  - {name: vip_interface, value: bond0}
  - {name: vip_loseleadership, value: "true"}
```

Good:
```yaml
env:
  - {name: vip_interface, value: bond0}
```

## How to fix
Leave `vip_loseleadership` out.

## How to verify
`kubectl -n kube-system get pods | grep kube-vip` shows no restarts.

## References
kube-vip `pkg/arp/arp.go`; kube-vip/kube-vip#1600.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK232", "kube-vip-link-check", Severity.ERROR, Reach.FILE, KUBEVIP, Confidence.LIKELY)
_VIRTUAL = re.compile(r"(bond|br|team|vlan|veth|vmbr|ovs)[-.\w]*|[-\w]+\.\d+")


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """The card, where its link is to be watched."""
    watch, card = (file.document.variable(n) for n in ("vip_loseleadership", "vip_interface"))
    if watch is None or card is None or not file.document.is_true("vip_loseleadership"):
        return
    if _VIRTUAL.fullmatch(card.text):
        yield RULE.finding(
            watch.span,
            f"kube-vip cannot watch '{shown(card.text)}', which is no physical card: it ends again and again",
            help="leave vip_loseleadership out",
            related=[Related(card.span, "the card")],
        )
