"""An entry of `tls-san` is neither a name nor an address.

## What it does
Reports entries with a scheme, a port, a prefix length or spaces.

## Why it is bad
The certificate gets the text as a name that nobody ever asks for, and what was meant stays missing:
`x509: certificate is valid for ..., not 10.10.10.100`.

## Example
Bad:
```yaml
tls-san:
  - https://10.10.10.100:6443
```

Good:
```yaml
tls-san:
  - 10.10.10.100
```

## How to fix
Write the bare name or address.

## How to verify
`openssl s_client -connect VIP:6443 </dev/null | openssl x509 -noout -ext subjectAltName` names it.

## References
k3s `pkg/cli/server/server.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from vipkeeper.config.tree import shown
from vipkeeper.lint.facts import host_of
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
    replace,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK118", "bad-tls-san", Severity.ERROR, Reach.SERVER, SETTINGS)
_NAME = re.compile(r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")


def check(server: Server) -> Iterator[Finding]:
    """Everything that is no name and no address."""
    for value in server.settings.values("tls-san"):
        text = value.text
        if not text or _NAME.fullmatch(text) or _is_address(text) or text.endswith("...]"):
            continue
        meant = _bare(text)
        yield RULE.finding(
            value.span,
            f"'tls-san' takes names and addresses, and '{shown(text)}' is neither",
            help=f"write {meant}" if meant else "write the bare name or address",
            fix=replace(value.span, meant, f"write {meant}") if meant and value.scalar else None,
        )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _bare(text: str) -> str:
    """The host in a URL, in HOST:PORT or in ADDRESS/PREFIX."""
    host = host_of(text if "//" in text else f"//{text}")
    return host if _is_address(host) or _NAME.fullmatch(host) else ""
