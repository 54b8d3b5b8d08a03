"""`server` leads to this very server.

## What it does
Reports a URL in `server` whose host is the server's own address or name, or loopback.

## Why it is bad
A new server asks for certificates there before it listens itself: `failed to get CA certs: ... connect: connection refused`, and
systemd starts it again for ever. One that has joined before starts all the same, so this is found when it is set up anew.

## Example
Bad:
```yaml
server: https://10.10.10.11:9345
node-ip: 10.10.10.11
token: abc
```

Good:
```yaml
server: https://10.10.10.100:9345
node-ip: 10.10.10.11
token: abc
```

## How to fix
On the first server of a cluster remove the line. On others write the URL of another server or of the VIP.

## How to verify
`systemctl status rke2-server` is `active` on a server without /var/lib/rancher/rke2/server/db.

## References
RKE2 `tests/e2e/kubevip`; k3s-io/k3s#9661.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.facts import host_of, port_of
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Rule,
    Severity,
    remove_entry,
)
from vipkeeper.lint.scope import Server, as_address
from vipkeeper.lint.settings import Value

RULE = Rule(
    "VK108", "server-joins-itself", Severity.ERROR, Reach.SERVER, SETTINGS, Confidence.LIKELY
)


def check(server: Server) -> Iterator[Finding]:
    """Compare the host of the URL with what the server is called."""
    setting = server.settings.get("server")
    value = setting.value if setting else None
    if setting is None or value is None or _balanced_here(server, value):
        return
    host = host_of(value.text)
    address = as_address(host)
    names = {name for name in (server.name, server.settings.text("node-name")) if name}
    loopback = host == "localhost" or (address is not None and address.is_loopback)
    if loopback and not server.is_agent:
        what = "loopback"
    elif address is not None and address in server.addresses:
        what = "its own address"
    elif host in names:
        what = "its own name"
    else:
        return
    yield RULE.finding(
        value.span,
        f"'server' leads to the server itself: {shown(host)} is {what}",
        help="first server: remove the line; others: the URL of another server, or of the VIP",
        fix=remove_entry(setting.entry, "remove 'server'") if setting.entry else None,
    )


def _balanced_here(server: Server, value: Value) -> bool:
    """Whether haproxy on this host listens on that port and leads to others."""
    port = port_of(value.text)
    return any(bind.port == port for haproxy in server.all(Haproxy) for bind in haproxy.binds)
