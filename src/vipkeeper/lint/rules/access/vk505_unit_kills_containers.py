"""A `KillMode` other than `process`, which RKE2's and k3s' own units have.

## What it does
Reports `KillMode` other than `process` for rke2-server, rke2-agent and k3s.

## Why it is bad
RKE2 and k3s leave the containers running while they restart: `process` stops only the main process, and containerd and
its shims are of the same control group. With `control-group` (systemd's own default) or `mixed` each restart or upgrade
of the service kills the shims, and with them etcd, the API server and all pods of the node, kube-vip among them; the VIP
stays on the card without anybody to take it away.

`none` kills no container. It kills nothing at all: what the stop command leaves, the old main process among it, runs on
beside the new one. systemd calls it not recommended.

## Example
Bad:
```yaml
[Service]
KillMode=control-group
```

Good:
```yaml
# no KillMode: the unit has process
```

## How to fix
Delete the line. To stop everything there is `rke2-killall.sh`.

## How to verify
`systemctl show -p KillMode rke2-server` says process.

## References
RKE2 `bundle/lib/systemd/system/rke2-server.service`; systemd.kill(5).
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.systemd import Unit
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK505", "unit-kills-containers", Severity.WARNING, Reach.FILE, (Kind.SYSTEMD_UNIT,))
_UNITS = ("rke2-server.service", "rke2-agent.service", "k3s.service", "k3s-agent.service")


def check(file: File[Unit]) -> Iterator[Finding]:
    """The last KillMode counts."""
    for directive in file.document.all("Service", "KillMode")[-1:]:
        if file.document.name in _UNITS and directive.value.text != "process":
            yield RULE.finding(
                directive.value.span,
                _effect(file.document.name, directive.value.text),
                help="KillMode=process, or delete the line",
            )


def _effect(unit: str, mode: str) -> str:
    if mode == "none":
        return f"a stop of {unit} kills no process, not even a main process that hangs"
    if mode in ("control-group", "mixed"):
        return f"a restart of {unit} kills the containerd shims: etcd, the API server and every pod"
    return f"'{shown(mode)}' is no KillMode: systemd ignores the line"
