"""A list for a key that takes one value.

## What it does
Reports several values for a key of which only the last counts.

## Why it is bad
All but the last are lost without a word. With `server` a server still joins through one address only; there is no list to fall
back on.

## Example
Bad:
```yaml
server:
  - https://10.10.10.11:9345
  - https://10.10.10.12:9345
```

Good:
```yaml
server: https://10.10.10.100:9345
```

## How to fix
Write the one value. Several addresses to join through are what the VIP, or a name, is for.

## How to verify
`rke2 server --help` shows `value` once for the key, without "can be specified multiple times".

## References
k3s `pkg/configfilearg/parser.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK123", "list-for-one-value", Severity.WARNING, Reach.SERVER, SETTINGS)


def check(server: Server) -> Iterator[Finding]:
    """Keys with several values that are no lists."""
    for setting in server.settings:
        if setting.key is None or setting.key.is_list or setting.key.type == "list":
            continue
        if len({value.text for value in setting.values}) > 1:
            last = setting.values[-1]
            yield RULE.finding(
                setting.span,
                f"'{setting.name}' takes one value; of these {len(setting.values)} the last counts",
                help=f"write the one value after {setting.name}:",
                related=[Related(last.span, "the one that counts")],
            )
