"""YAML reads a plain value as something else.

## What it does
Reports texts without quotes that YAML 1.1 takes for a number or a switch and that do not come back as they were: tokens such as
`0123456` or `12345e6`, names such as `on`. (The mode of the kubeconfig is VK106's.)

## Why it is bad
The server works with another value than the one in the file: `0123456` is the token `42798`. A server where it was written in
quotes, or given by flag or environment, then does not match: `401 Unauthorized`.

## Example
Bad:
```yaml
token: 0123456
```

Good:
```yaml
token: "0123456"
```

## How to fix
Put the value in quotes. On a cluster that runs with the changed value, write that one.

## How to verify
The value that RKE2 got is in /var/lib/rancher/rke2/server/token, or in the log.

## References
YAML 1.1, "Integer", "Boolean", "Floating point"; yaml.v2 `resolve.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.config.tree import Scalar
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
    replace,
)
from vipkeeper.lint.scope import Server
from vipkeeper.lint.yaml11 import Meaning, resolve

RULE = Rule("VK125", "yaml-changes-value", Severity.ERROR, Reach.SERVER, SETTINGS)
_TEXT = ("string", "list")
_OWN_RULE = ("write-kubeconfig-mode", "server")
_FLOAT = re.compile(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?|[-+]?[0-9]+\.[0-9]*")
_SECRET = ("token", "agent-token", "etcd-s3-secret-key")


def check(server: Server) -> Iterator[Finding]:
    """Every plain scalar of a key that takes text."""
    for setting in server.settings:
        if setting.key is None or setting.key.type not in _TEXT or setting.name in _OWN_RULE:
            continue
        for value in setting.values if setting.entry else ():
            scalar = value.scalar
            if scalar is None or scalar.quoted or not scalar.text:
                continue
            got = _received(scalar)
            if got != scalar.text:
                right = f'"{scalar.text}"'
                what = "another value" if setting.name in _SECRET else f"'{got}'"
                yield RULE.finding(
                    value.span,
                    f"YAML makes {what} of this '{setting.name}', which has no quotes",
                    help="put it in quotes",
                    fix=replace(value.span, right, "put it in quotes"),
                )


def _received(scalar: Scalar) -> str:
    """What the program gets; whole numbers beyond 64 bits and floats as Go prints them."""
    found = resolve(scalar)
    if found.meaning in (Meaning.NULL, Meaning.BOOLEAN, Meaning.OCTAL):
        return found.text if found.meaning is not Meaning.NULL else scalar.text
    if found.meaning is Meaning.INTEGER and abs(int(found.text)) < 2**64:
        return found.text
    if len(scalar.text) <= 400 and _FLOAT.fullmatch(scalar.text):
        number = float(scalar.text)
        whole = number == number // 1 and abs(number) < 1e21
        return str(int(number)) if whole else re.sub(r"\.0$", "", repr(number))
    return found.text
