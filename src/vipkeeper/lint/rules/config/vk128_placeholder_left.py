"""A value is still a placeholder.

## What it does
Reports `${NAME}`, `$(command)`, `{{ name }}` and `<name>` in the keys that decide who the server is and whom it joins.

## Why it is bad
RKE2 and k3s expand nothing in config.yaml. A token `${TOKEN}` is a token of eight characters, and another server whose file was filled
in does not match it; an address stays a text that no resolver knows.

## Example
Bad:
```yaml
token: ${RKE2_TOKEN}
```

Good:
```yaml
token: abc
```

## How to fix
Let the tool that writes the file fill the value in, or give it in the environment file of the service.

## How to verify
`grep -rE '\\$\\{|\\{\\{|<' /etc/rancher/rke2` finds nothing.

## References
k3s `pkg/configfilearg/parser.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK128", "placeholder-left", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY)
_KEYS = (
    "token",
    "agent-token",
    "server",
    "node-ip",
    "node-external-ip",
    "node-name",
    "tls-san",
    "advertise-address",
    "bind-address",
    "cluster-cidr",
    "service-cidr",
    "cluster-dns",
    "datastore-endpoint",
)
_PLACEHOLDER = re.compile(r"\$\{[^}]+\}|\$\([^)]+\)|\{\{.+?\}\}|<[A-Za-z][A-Za-z0-9 _.-]*>")


def check(server: Server) -> Iterator[Finding]:
    """Every value of these keys."""
    for key in _KEYS:
        for value in server.settings.values(key):
            found = _PLACEHOLDER.search(value.text)
            if found:
                yield RULE.finding(
                    value.span,
                    f"'{key}' has the placeholder {shown(found[0])}, which nothing fills in",
                    help="write the value itself",
                )
