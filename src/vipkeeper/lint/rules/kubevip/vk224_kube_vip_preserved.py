"""kube-vip keeps the VIP after losing its lease.

## What it does
Reports `vip_preserve_on_leadership_loss` unless there is one server.

## Why it is bad
The old holder keeps the address while another server takes it: two servers answer for the VIP, and connections break
at random.

## Example
Bad:
```yaml
env:
  - {name: vip_preserve_on_leadership_loss, value: "true"}
```

Good:
```yaml
# no vip_preserve_on_leadership_loss
```

## How to fix
Delete it. It is made for a cluster of one server.

## How to verify
`arping -D -I eth0 VIP` from another host gets answers of one MAC.

## References
kube-vip/kube-vip#1583, kube-vip/kube-vip#1306.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK224", "kube-vip-preserved", Severity.ERROR, Reach.FILE, KUBEVIP)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """The switch, where there may be several servers."""
    facts = file.facts
    variable = file.document.variable("vip_preserve_on_leadership_loss")
    on = file.document.is_true("vip_preserve_on_leadership_loss")
    if variable is None or not on or (facts.complete and len(facts.servers) == 1):
        return
    several = len(facts.servers) > 1
    yield RULE.finding(
        variable.span,
        "the old holder keeps the VIP beside the new one",
        help="delete it",
        confidence=Confidence.CERTAIN if several else Confidence.LIKELY,
    )
