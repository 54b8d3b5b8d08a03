"""A full token is cut or malformed.

## What it does
Reports tokens of the form `K10HASH::USER:PASSWORD` whose hash is not 64 hexadecimal digits, or that have no password.

## Why it is bad
The server exits: `invalid token CA hash length` or `invalid token format`. It happens when a long token is copied from a terminal.

## Example
Bad:
```yaml
token: K10c4ffee::server:abc
```

Good:
```yaml
token: abc
```

## How to fix
Copy the whole line of /var/lib/rancher/rke2/server/token again. The last part alone, behind the last colon, works as well, without
the check of the cluster's certificate.

## How to verify
`awk -F:: '{print length($1)}' /var/lib/rancher/rke2/server/token` prints 67.

## References
k3s `pkg/clientaccess/token.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK127", "bad-token", Severity.ERROR, Reach.SERVER, SETTINGS)
_HASH = re.compile(r"[0-9a-fA-F]{64}")


def check(server: Server) -> Iterator[Finding]:
    """The parts of a full token; never printed."""
    for key in ("token", "agent-token"):
        value = server.settings.value(key)
        if value is None or not value.text.startswith("K10") or "::" not in value.text:
            continue
        digits, _, rest = value.text[3:].partition("::")
        if not _HASH.fullmatch(digits):
            fault = (
                f"its hash has {len(digits)} characters"
                if len(digits) != 64
                else "its hash is none"
            )
            yield RULE.finding(
                value.span,
                f"this '{key}' is cut or damaged: {fault}, not 64 hexadecimal digits",
                help="copy the whole line of server/token again",
            )
        elif not rest.partition(":")[2] and rest.endswith(":"):
            yield RULE.finding(
                value.span,
                f"this '{key}' ends before its password",
                help="copy the whole line of server/token again",
            )
