"""A drop-in replaces a list instead of adding to it.

## What it does
Reports lists that a later file sets anew, without `+`, and that lose entries of an earlier one.

## Why it is bad
The later file replaces the whole list. A drop-in that was to add one name to `tls-san` removes the VIP from the certificates:
`x509: certificate is valid for ..., not 10.10.10.100`, at the next renewal or on a new server.

## Example
Bad:
```yaml
# etc/rancher/rke2/config.yaml
tls-san: [10.10.10.100]

# etc/rancher/rke2/config.yaml.d/50-name.yaml
tls-san:
  - api.example.org
```

Good:
```yaml
# etc/rancher/rke2/config.yaml
tls-san: [10.10.10.100]

# etc/rancher/rke2/config.yaml.d/50-name.yaml
tls-san+:
  - api.example.org
```

## How to fix
Write `key+` in the drop-in. If the list is to be replaced, ignore the finding with a reason.

## How to verify
The whole list that counts is in the first lines of `journalctl -u rke2-server`.

## References
k3s `pkg/configfilearg/parser.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Mapping, Scalar, Sequence, Span, shown
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
    replace,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK139", "list-replaced", Severity.WARNING, Reach.SERVER, SETTINGS, Confidence.LIKELY)


def check(server: Server) -> Iterator[Finding]:
    """The files in their order, as they are merged."""
    settings = server.settings
    gathered: dict[str, tuple[list[str], Span]] = {}
    for file in settings.files:
        for entry in file.root.entries:
            name = entry.key.text.removesuffix("+")
            key = settings.table.find(name)
            if key is None or not key.is_list:
                continue
            texts = _texts(entry.value)
            before = gathered.get(key.name)
            if before is None or entry.key.text.endswith("+"):
                old = before[0] if before else []
                gathered[key.name] = ([*old, *texts], entry.key.span)
                continue
            lost = [text for text in before[0] if text not in texts]
            gathered[key.name] = (texts, entry.key.span)
            if lost:
                vip = next((t for t in lost if server.facts.is_vip(t)), None)
                severe = vip is not None and key.name == "tls-san"
                yield RULE.finding(
                    entry.key.span,
                    f"'{name}' here replaces the list before it and drops {shown(vip or lost[0])}",
                    help=f"write {name}+: to add to it",
                    related=[Related(before[1], "the list that is replaced")],
                    severity=Severity.ERROR if severe else None,
                    fix=replace(entry.key.span, f"{name}+", f"write {name}+"),
                )


def _texts(node: Mapping | Sequence | Scalar) -> list[str]:
    items = node.items if isinstance(node, Sequence) else (node,)
    texts = [item.text for item in items if isinstance(item, Scalar)]
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]
