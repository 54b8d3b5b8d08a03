"""A value is of another type than its key.

## What it does
Reports switches that are neither true nor false, numbers that are none, and times without a unit.

## Why it is bad
Each key becomes a flag of the command line, and the flag is refused: `invalid value "enabled" for flag -etcd-expose-metrics: parse
error`. The server exits at once, again and again.

## Example
Bad:
```yaml
etcd-expose-metrics: enabled
etcd-s3-timeout: 30
```

Good:
```yaml
etcd-expose-metrics: true
etcd-s3-timeout: 30s
```

## How to fix
Switches take true or false (without quotes also yes and no), times a number with its unit: 30s, 5m.

## How to verify
`systemctl status rke2-server` is `active` after a restart.

## References
Go `strconv.ParseBool`, `time.ParseDuration`; k3s `pkg/configfilearg/parser.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK122", "wrong-type", Severity.ERROR, Reach.SERVER, SETTINGS)
_FORMS = {
    "bool": (re.compile(r"1|t|T|TRUE|true|True|0|f|F|FALSE|false|False"), "true or false"),
    "int": (re.compile(r"[-+]?[0-9]+|0[xX][0-9a-fA-F]+"), "a whole number"),
    "duration": (
        re.compile(r"[-+]?(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+"),
        "a time with its unit, such as 30s",
    ),
}


def check(server: Server) -> Iterator[Finding]:
    """Every value of a key that is no text."""
    for setting in server.settings:
        form = _FORMS.get(setting.key.type) if setting.key else None
        value = setting.value
        if form is None or value is None or form[0].fullmatch(value.text):
            continue
        if value.text in ("map[...]", "[...]"):
            continue
        yield RULE.finding(
            value.span, f"'{setting.name}' takes {form[1]}, not '{shown(value.text)}'"
        )
