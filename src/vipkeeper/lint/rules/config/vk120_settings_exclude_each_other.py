"""Two settings that cannot stand together, or one without the other that it needs.

## What it does
Reports combinations that RKE2 or k3s refuses at start: a restore path without a reset, `disable-etcd` or `disable-apiserver` with an
external datastore, `node-external-ip` with `cloud-provider-name`, `cloud-provider-config` without a name, and on k3s
`disable-etcd` without `server`.

## Why it is bad
The program exits at once and systemd starts it again every 5 s; no port ever opens.

## Example
Bad:
```yaml
disable-etcd: true
datastore-endpoint: mysql://user:pass@tcp(10.10.10.50:3306)/rke2
```

Good:
```yaml
datastore-endpoint: mysql://user:pass@tcp(10.10.10.50:3306)/rke2
```

## How to fix
Remove one of the two, or add the one that is needed.

## How to verify
`systemctl status rke2-server` is `active` after a restart.

## References
k3s `pkg/cli/server/server.go`, RKE2 `pkg/rke2/rke2.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.keys import Product
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server
from vipkeeper.lint.settings import Setting

RULE = Rule("VK120", "settings-exclude-each-other", Severity.ERROR, Reach.SERVER, SETTINGS)
_EXCLUDE = (
    ("disable-etcd", "datastore-endpoint"),
    ("disable-apiserver", "datastore-endpoint"),
)
_NEED = (("cluster-reset-restore-path", "cluster-reset"),)
_EXCLUDE_RKE2 = (("node-external-ip", "cloud-provider-name"),)
_NEED_RKE2 = (("cloud-provider-config", "cloud-provider-name"),)
_NEED_K3S = (("disable-etcd", "server"),)


def check(server: Server) -> Iterator[Finding]:
    """Pairs of settings that are on."""
    rke2 = server.settings.product is Product.RKE2
    for first, second in _EXCLUDE + (_EXCLUDE_RKE2 if rke2 else ()):
        one, other = _on(server, first), _on(server, second)
        if one and other:
            yield RULE.finding(
                one.span,
                f"'{first}' and '{second}' cannot stand together",
                help=f"remove '{first}' or '{second}'",
                related=[Related(other.span, f"'{second}'")],
            )
    for first, second in _NEED + (_NEED_RKE2 if rke2 else _NEED_K3S):
        one = _on(server, first)
        if one and not _on(server, second):
            yield RULE.finding(
                one.span, f"'{first}' needs '{second}'", help=f"add '{second}' or remove '{first}'"
            )


def _on(server: Server, name: str) -> Setting | None:
    """A setting that has a value, for a switch: that is on."""
    setting = server.settings.get(name)
    if setting is None or setting.value is None:
        return None
    switch = setting.key is not None and setting.key.type == "bool"
    return setting if not switch or server.settings.is_true(name) else None
