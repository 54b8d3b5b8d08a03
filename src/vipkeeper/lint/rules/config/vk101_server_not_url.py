"""`server` is not the URL of a server to join.

## What it does
Reports a value of `server` that is not `https://HOST:PORT`: a bare address, another scheme, or a word such as `true`.

## Why it is bad
A new server does not start: `only https:// URLs are supported, invalid scheme: true`, and systemd starts it again
every 5 s. A server that has joined before starts all the same, so the mistake is found on the day it is set up anew.
`server` does not mean "this is a server"; the first server of a cluster has no `server` at all.

## Example
Bad:
```yaml
server: true
token: abc
```

Good:
```yaml
server: https://10.10.10.11:9345
token: abc
```

## How to fix
On the first server remove the line. On every other one write the URL of a server that runs, or of the VIP once it
answers: port 9345 for RKE2, 6443 for k3s.

## How to verify
`curl -k https://HOST:9345/cacerts` from this server prints a certificate.

## References
k3s `pkg/clientaccess/token.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.facts import host_of
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import Finding, Fix, Reach, Rule, Severity, remove_entry, replace
from vipkeeper.lint.scope import Server, as_address
from vipkeeper.lint.settings import Value

RULE = Rule("VK101", "server-not-url", Severity.ERROR, Reach.SERVER, SETTINGS)


def check(server: Server) -> Iterator[Finding]:
    """The value that counts after merging."""
    setting = server.settings.get("server")
    value = setting.value if setting else None
    if setting is None or value is None:
        return
    if value.text.lower().startswith("https://") and host_of(value.text):
        return
    port = server.settings.product.supervisor_port
    fix: Fix | None = None
    if as_address(value.text) or "." in value.text:
        host = value.text.partition("//")[2] or value.text
        url = f"https://{host if ':' in host else f'{host}:{port}'}"
        advice = f"write server: {url}"
        fix = replace(value.span, url, advice) if value.scalar else None
    else:
        advice = f"first server: remove the line; others: server: https://ADDRESS:{port}"
        fix = remove_entry(setting.entry, "remove 'server'") if setting.entry else None
    yield RULE.finding(value.span, _message(value), help=advice, fix=fix)


def _message(value: Value) -> str:
    return f"'server' is the URL of a server to join, and '{shown(value.text)}' is none"
