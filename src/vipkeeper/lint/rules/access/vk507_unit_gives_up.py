"""systemd gives the server up.

## What it does
Reports `Restart=no` and the like, and a `TimeoutStartSec` other than 0, for rke2-server, rke2-agent and k3s.

## Why it is bad
A server that joins through the VIP waits until somebody holds it, and for etcd as long as that takes. With a limit
systemd kills it in the middle and it begins anew; without a restart it stays dead after a crash.

## Example
Bad:
```yaml
[Service]
TimeoutStartSec=90
```

Good:
```yaml
# no TimeoutStartSec: the unit has 0
```

## How to fix
Delete the line.

## How to verify
`systemctl show -p TimeoutStartUSec -p Restart rke2-server` says infinity and always.

## References
RKE2 `bundle/lib/systemd/system/rke2-server.service`; systemd.service(5).
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.systemd import Unit
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK507", "unit-gives-up", Severity.WARNING, Reach.FILE, (Kind.SYSTEMD_UNIT,))
_UNITS = ("rke2-server.service", "rke2-agent.service", "k3s.service", "k3s-agent.service")
_NEVER = ("no", "on-success", "on-abnormal", "on-abort", "on-watchdog")
_ENDLESS = ("0", "0s", "infinity")


def check(file: File[Unit]) -> Iterator[Finding]:
    """The last line of each counts."""
    unit = file.document
    if unit.name not in _UNITS:
        return
    for directive in unit.all("Service", "Restart")[-1:]:
        if directive.value.text in _NEVER:
            what = f"{unit.name} stays dead after a failure"
            yield RULE.finding(directive.value.span, what, help="Restart=always")
    limits = (*unit.all("Service", "TimeoutStartSec"), *unit.all("Service", "TimeoutSec"))
    for directive in limits[-1:]:
        if directive.value.text not in _ENDLESS:
            yield RULE.finding(
                directive.value.span,
                f"systemd kills {unit.name} while it waits for the VIP or for etcd",
                help="TimeoutStartSec=0",
            )
