"""An instance of keepalived that checks nothing.

## What it does
Reports every `vrrp_instance` without `track_script`, `track_process`, `track_file` or `track_bfd`, in itself and in its
`vrrp_sync_group`.

## Why it is bad
keepalived then asks only whether keepalived runs. When the API server dies, the VIP stays on that server and clients get
`connection refused` while two healthy servers wait.

## Example
Bad:
```
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.10.10.100/24
    }
}
```

Good:
```
vrrp_script api {
    script "/usr/bin/curl -sf --max-time 2 --cacert /etc/keepalived/ca.crt --cert /etc/keepalived/check.crt --key /etc/keepalived/check.key https://127.0.0.1:6443/readyz"
    interval 3
    fall 3
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        10.10.10.100/24
    }
    track_script {
        api
    }
}
```

## How to fix
Track a script that asks the API server of this host, through localhost and not through the VIP. RKE2 and k3s answer 401 to a
request without a client certificate (VK304).

## How to verify
Stop the API server of the holder: `ip addr` no longer shows the VIP there after interval x fall.

## References
keepalived.conf(5), "VRRP scripts"; kubernetes/kubeadm `docs/ha-considerations.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived, Statement
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK301", "keepalived-no-check", Severity.WARNING, Reach.FILE, (Kind.KEEPALIVED,))
_CHECKS = ("track_script", "track_process", "track_file", "track_bfd")


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Every instance without a check of its own or of its group."""
    conf = file.document
    for instance in conf.instances:
        groups = [g for g in conf.blocks("vrrp_sync_group") if _has_member(g, instance.name)]
        if not any(block.has(name) for block in (instance.block, *groups) for name in _CHECKS):
            yield RULE.finding(
                instance.block.span,
                f"'{instance.name}' checks nothing: the VIP stays where the API server is dead",
                help="add track_script with a check of https://localhost:6443",
            )


def _has_member(group: Statement, name: str) -> bool:
    return any(line.keyword == name for block in group.all("group") for line in block.children)
