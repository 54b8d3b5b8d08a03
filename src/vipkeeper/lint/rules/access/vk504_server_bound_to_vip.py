"""The service of the server depends on the VIP.

## What it does
Reports `Requires`, `Requisite`, `BindsTo` and `PartOf` of rke2-server, k3s or kubelet with keepalived, haproxy or
kube-vip, and `ExecStartPre` that waits for the VIP.

## Why it is bad
Every server is a member of etcd and must run, wherever the VIP is. With this the server stops when keepalived does,
and after a power cut none starts: the VIP waits for the API server and the API server for the VIP.

## Example
Bad:
```yaml
# rke2-server.service.d/vip.conf
[Unit]
BindsTo=keepalived.service
```

Good:
```yaml
# rke2-server.service.d/vip.conf
[Unit]
After=network-online.target
```

## How to fix
Delete it. `After=` alone does no harm.

## How to verify
`systemctl stop keepalived` leaves rke2-server active.

## References
k3s-io/k3s#6134; systemd.unit(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.systemd import Unit
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK504", "server-bound-to-vip", Severity.ERROR, Reach.FILE, (Kind.SYSTEMD_UNIT,))
_SERVERS = ("rke2-server.service", "k3s.service", "kubelet.service")
_HOLDERS = ("keepalived", "haproxy", "kube-vip", "vipkeeper")


def check(file: File[Unit]) -> Iterator[Finding]:
    """What the unit of a server needs."""
    unit = file.document
    if unit.name not in _SERVERS:
        return
    for key in ("Requires", "Requisite", "BindsTo", "PartOf"):
        for directive in unit.all("Unit", key):
            found = [word for word in directive.value.text.split() if word.startswith(_HOLDERS)]
            if found:
                yield RULE.finding(
                    directive.value.span,
                    f"{unit.name} stops with {shown(found[0])}: etcd loses a member",
                    help=f"delete {key}",
                )
    for directive in unit.all("Service", "ExecStartPre"):
        words = re.split(r"[^0-9a-fA-F.:]+", directive.value.text)
        vip = next((vip for word in words if word and (vip := file.facts.is_vip(word))), None)
        if vip is not None and not directive.value.text.startswith("-"):
            yield RULE.finding(
                directive.value.span,
                f"{unit.name} waits for the VIP, {vip}, which waits for an API server",
                help="delete ExecStartPre",
                confidence=Confidence.LIKELY,
            )
