"""A variable that kube-vip no longer reads.

## What it does
Reports variables that were removed (`vip_cidr` and others, v0.9.0), and `vip_address`, for which v1.2.0 and newer
demand `vip_subnet`.

## Why it is bad
The value is ignored without a word: the VIP gets the mask /32 whatever `vip_cidr` says. `vip_address` without
`vip_subnet` ends kube-vip at start since v1.2.0.

## Example
Bad:
```yaml
env:
  - {name: vip_cidr, value: "24"}
```

Good:
```yaml
env:
  - {name: vip_subnet, value: "24"}
```

## How to fix
Write `vip_subnet` for `vip_cidr`, `address` for `vip_address`, and delete the others.

## How to verify
`kill -USR1` of kube-vip prints the configuration that it uses (v1.0.2 and newer).

## References
kube-vip/kube-vip#324, kube-vip/kube-vip#1445; kube-vip commit e7b9439.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity, Software, VersionRange, replace
from vipkeeper.lint.rules.kubevip import names
from vipkeeper.lint.scope import File

_REMOVED = VersionRange(Software.KUBE_VIP, since=names.REMOVED_SINCE)
_WITH_SUBNET = VersionRange(Software.KUBE_VIP, since="v1.2.0")
RULE = Rule(
    "VK219",
    "kube-vip-removed-variable",
    Severity.WARNING,
    Reach.FILE,
    KUBEVIP,
    versions=(_REMOVED, _WITH_SUBNET),
)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Every variable against the list of those that went away."""
    kubevip = file.document
    for variable in kubevip.variables:
        name = variable.name.text
        if name in names.REMOVED:
            instead = names.REMOVED[name]
            yield RULE.finding(
                variable.name.span,
                f"kube-vip ignores '{name}' since {names.REMOVED_SINCE}",
                help=f"write '{instead}'" if instead else "delete it",
                fix=replace(variable.name.span, instead, f"rename to {instead}")
                if instead
                else None,
                versions=(_REMOVED,),
            )
    old = kubevip.variable("vip_address")
    alone = not kubevip.variable("address") and not kubevip.variable("vip_subnet")
    if old is not None and alone and kubevip.is_complete and kubevip.version is not None:
        yield RULE.finding(
            old.name.span,
            "kube-vip exits at start: 'vip_address' without 'vip_subnet'",
            help="write 'address'",
            severity=Severity.ERROR,
            fix=replace(old.name.span, "address", "rename to address"),
            versions=(_WITH_SUBNET,),
        )
