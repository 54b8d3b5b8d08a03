"""A mapping where a value is expected.

## What it does
Reports keys, or items of lists, that have `name: value` inside where RKE2 and k3s take text, such as `- v: 2` for `- v=2`.

## Why it is bad
The program gets the text `map[v:2]`. As an argument of the API server or the kubelet that is an unknown flag, and the component does
not start; elsewhere it is a name that nobody has.

## Example
Bad:
```yaml
kubelet-arg:
  - max-pods: 200
```

Good:
```yaml
kubelet-arg:
  - max-pods=200
```

## How to fix
Write `name=value`.

## How to verify
`ps -ef | grep map` finds nothing.

## References
k3s `pkg/configfilearg/parser.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Mapping, Scalar, Sequence, shown
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server
from vipkeeper.lint.settings import Setting

RULE = Rule("VK124", "mapping-as-value", Severity.ERROR, Reach.SERVER, SETTINGS)


def check(server: Server) -> Iterator[Finding]:
    """Look into the tree of each key that counts."""
    for setting in server.settings:
        if setting.entry is None or setting.key is None:
            continue
        node = setting.entry.value
        for item in node.items if isinstance(node, Sequence) else (node,):
            if isinstance(item, Mapping) and item.entries:
                yield _finding(setting, item)


def _finding(setting: Setting, item: Mapping) -> Finding:
    first = item.entries[0]
    name = first.key.text
    value = first.value.text if isinstance(first.value, Scalar) else "..."
    right = f"{name}={value}"
    return RULE.finding(
        first.key.span,
        f"'{setting.name}' takes text, and gets map[{shown(name)}:{shown(value)}]",
        help=f"write {'- ' if setting.key and setting.key.is_list else ''}{shown(right)}",
    )
