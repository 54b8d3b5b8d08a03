"""A key that RKE2 or k3s does not know.

## What it does
Reports keys of config.yaml and its drop-ins that the product does not have, with the key that was perhaps meant.

## Why it is bad
RKE2 and the k3s server log `Unknown flag --KEY found in config.yaml, skipping` and start without the setting; nothing
else tells. A k3s agent does not start. What was set there (certificate names, the node's address) is simply not so.

## Example
Bad:
```yaml
tls_san:
  - 10.10.10.100
```

Good:
```yaml
tls-san:
  - 10.10.10.100
```

## How to fix
Use the key that is named, or remove the line. All keys: `rke2 server --help`.

## How to verify
`journalctl -u rke2-server | grep 'Unknown flag'` finds nothing after a restart.

## References
k3s `pkg/configfilearg/parser.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity, replace
from vipkeeper.lint.scope import Server

RULE = Rule("VK104", "unknown-key", Severity.ERROR, Reach.SERVER, SETTINGS)


def check(server: Server) -> Iterator[Finding]:
    """Look up every key. Keys of k3s in a file of RKE2 are VK107's."""
    table = server.settings.table
    for setting in server.settings:
        if setting.key is not None or setting.name in table.ignored:
            continue
        near = table.near(setting.name)
        meant = f"; did you mean '{near}'?" if near else ""
        effect = (
            "skips it" if table.product is Product.RKE2 or not server.is_agent else "refuses it"
        )
        plus = "+" if setting.entry and setting.entry.key.text.endswith("+") else ""
        yield RULE.finding(
            setting.span,
            f"{table.product.title} has no key '{shown(setting.name)}' and {effect}{meant}",
            help=f"write {near}{plus}: ..." if near else "remove the line",
            fix=replace(setting.span, near + plus, f"rename to '{near}'") if near else None,
        )
