"""Calico may take the VIP for the address of the node.

## What it does
Reports Calico set to `firstFound` for the address of a node, or to `can-reach` the VIP.

## Why it is bad
The first address of a card may be the VIP. When it moves, two nodes have the same address: `Calico node is already
using the IPv4 address`, and the tunnels break.

## Example
Bad:
```yaml
nodeAddressAutodetectionV4:
  firstFound: true
```

Good:
```yaml
nodeAddressAutodetectionV4:
  kubernetes: NodeInternalIP
```

## How to fix
Take `kubernetes: NodeInternalIP`, and set `node-ip` on every server.

## How to verify
`kubectl get nodes -o yaml | grep projectcalico.org/IPv4Address` never shows the VIP.

## References
projectcalico/calico#1628, projectcalico/calico#6711.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.document import YamlDocument
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File
from vipkeeper.lint.yaml11 import resolve

RULE = Rule(
    "VK514",
    "calico-takes-vip",
    Severity.WARNING,
    Reach.FILE,
    (
        Kind.CALICO_VALUES,
        Kind.OBJECT,
    ),
    Confidence.LIKELY,
)
_KEYS = ("nodeAddressAutodetectionV4", "nodeAddressAutodetectionV6")
_PATHS = (("installation", "calicoNetwork"), ("spec", "calicoNetwork"))


def check(file: File[YamlDocument]) -> Iterator[Finding]:
    """How the address is found, in values and in an Installation."""
    kind = file.document.root.scalar("kind")
    if kind is not None and kind.text != "Installation":
        return
    for path in _PATHS:
        for key in _KEYS:
            first = file.document.root.scalar(*path, key, "firstFound")
            reach = file.document.root.scalar(*path, key, "canReach")
            if first is not None and resolve(first).text == "true":
                yield RULE.finding(
                    first.span,
                    "the first address of a card may be the VIP",
                    help="write kubernetes: NodeInternalIP",
                )
            if reach is not None and file.facts.is_vip(reach.text):
                yield RULE.finding(
                    reach.span,
                    f"on the holder the way to the VIP, {shown(reach.text)}, begins at the VIP",
                    help="write kubernetes: NodeInternalIP",
                )
