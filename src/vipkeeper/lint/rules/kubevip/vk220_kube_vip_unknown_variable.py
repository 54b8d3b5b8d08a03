"""A variable that kube-vip does not know.

## What it does
Reports variables that look like those of kube-vip and are none: misspelt, or in capitals.

## Why it is bad
It is ignored without a word and the default holds: `VIP_ARP` or `vip_arprate` set nothing.

## Example
Bad:
```yaml
env:
  - {name: vip_lease_duration, value: "15"}
```

Good:
```yaml
env:
  - {name: vip_leaseduration, value: "15"}
```

## How to fix
Write the name as kube-vip has it; letters count, only `vip_arpRate` has a capital one.

## How to verify
`kill -USR1` of kube-vip prints the configuration that it uses (v1.0.2 and newer).

## References
kube-vip `pkg/kubevip/config_envvar.go` (v1.2.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity, replace
from vipkeeper.lint.rules.kubevip import names
from vipkeeper.lint.scope import File

RULE = Rule(
    "VK220", "kube-vip-unknown-variable", Severity.WARNING, Reach.FILE, KUBEVIP, Confidence.LIKELY
)
_BEGINNINGS = ("vip_", "cp_", "lb_", "svc_", "bgp_", "mpbgp_", "zebra_", "egress_", "dhcp_", "dns_")


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Every name against the table."""
    lower = {name.lower(): name for name in sorted(names.KNOWN)}
    for variable in file.document.variables:
        name = variable.name.text
        if name in names.KNOWN or name in names.REMOVED:
            continue
        near = get_close_matches(name.lower(), lower, n=1, cutoff=0.85)
        if not near and not name.lower().startswith(_BEGINNINGS):
            continue
        meant = lower[near[0]] if near else ""
        yield RULE.finding(
            variable.name.span,
            f"kube-vip has no variable '{shown(name)}'; it is ignored",
            help=f"did you mean '{meant}'?" if meant else "delete it, or look the name up",
            fix=replace(variable.name.span, meant, f"rename to {meant}") if meant else None,
        )
