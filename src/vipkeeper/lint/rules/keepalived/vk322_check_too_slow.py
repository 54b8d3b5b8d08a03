"""A check that notices a dead API server late.

## What it does
Reports tracked scripts with `interval` x `fall` of 30 seconds or more.

## Why it is bad
For that long the VIP stays on a server that serves nobody. The guide of kubeadm has 3 x 10.

## Example
Bad:
```
vrrp_script api {
    script "/etc/keepalived/check.sh"
    interval 3
    fall 10
}
```

Good:
```
vrrp_script api {
    script "/etc/keepalived/check.sh"
    interval 3
    timeout 2
    fall 3
    rise 2
}
```

## How to fix
Take an interval of 2 or 3 seconds and `fall 3`.

## How to verify
Stop the API server of the holder and count until another server has the VIP.

## References
kubernetes/kubeadm `docs/ha-considerations.md`; kubernetes/kubeadm#3060.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived, Statement
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.keepalived.checks import tracked
from vipkeeper.lint.scope import File

RULE = Rule("VK322", "check-too-slow", Severity.WARNING, Reach.FILE, (Kind.KEEPALIVED,))


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """The time until each check has failed."""
    for script in tracked(file.document):
        interval, fall = _number(script.block, "interval"), _number(script.block, "fall")
        place = script.block.first("fall") or script.block.first("interval")
        if place is not None and interval * fall >= 30:
            yield RULE.finding(
                place.span,
                f"the VIP stays for {interval * fall:g} s where the API server is dead",
                help="interval 3 and fall 3",
            )


def _number(block: Statement, keyword: str) -> float:
    line = block.first(keyword)
    return line.number if line is not None and line.number is not None else 1
