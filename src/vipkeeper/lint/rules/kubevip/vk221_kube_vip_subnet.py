"""`vip_subnet` of kube-vip is no prefix length.

## What it does
Reports a `vip_subnet` that is neither a prefix length, nor one for each family (`32,128`), nor `auto`.

## Why it is bad
kube-vip exits at start or cannot add the VIP: `invalid CIDR address`. Nobody holds the VIP.

## Example
Bad:
```yaml
env:
  - {name: vip_subnet, value: 255.255.255.255}
```

Good:
```yaml
env:
  - {name: vip_subnet, value: "32"}
```

## How to fix
Write `32`, for dual stack `32,128`. Both are the default.

## How to verify
`ip addr` of the holder shows the VIP with /32.

## References
kube-vip `pkg/kubevip/config_envvar.go`, `pkg/vip/util.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK221", "kube-vip-subnet", Severity.ERROR, Reach.FILE, KUBEVIP)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Each part must be a number up to the width of its family."""
    variable = file.document.variable("vip_subnet")
    if variable is None or variable.text in ("", "auto"):
        return
    parts = [part.strip() for part in variable.text.split(",")]
    wrong = [p for p in parts if not (p.isascii() and p.isdigit() and len(p) < 4 and int(p) <= 128)]
    if wrong or len(parts) > 2:
        yield RULE.finding(
            variable.span,
            f"'{shown(variable.text)}' is no prefix length: kube-vip cannot add the VIP",
            help='write "32", for dual stack "32,128"',
        )
