"""A value that kube-vip cannot read.

## What it does
Reports switches of kube-vip that are neither `true` nor `false` and numbers that are none, such as `yes`, `15s` or
`6443/tcp`.

## Why it is bad
kube-vip exits at start: `strconv.ParseBool: parsing "yes": invalid syntax`. The container restarts for ever and
nobody holds the VIP.

## Example
Bad:
```yaml
env:
  - {name: vip_arp, value: "yes"}
  - {name: vip_leaseduration, value: "15s"}
```

Good:
```yaml
env:
  - {name: vip_arp, value: "true"}
  - {name: vip_leaseduration, value: "15"}
```

## How to fix
Switches take `true` and `false`, times are whole seconds without a unit. `kube-vip manifest ... --loseLeadership`
writes `vip_loseleadership` twice; the second, `30`, belongs to `vip_loseleadership_timeout_seconds`.

## How to verify
`crictl logs` of the container goes on after `kube-vip.io version`.

## References
kube-vip `pkg/kubevip/config_environment.go`, `config_generator.go`; Go strconv.ParseBool.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.kubevip import names
from vipkeeper.lint.scope import File

RULE = Rule("VK205", "kube-vip-bad-value", Severity.ERROR, Reach.FILE, KUBEVIP)
_BOOLEANS = frozenset(
    ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"]
)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Every literal value of a variable whose type is known."""
    for variable in file.document.variables:
        name, text = variable.name.text, variable.text
        if not text:
            continue
        if name in names.SWITCHES and text not in _BOOLEANS:
            yield RULE.finding(
                variable.span,
                f"kube-vip exits at start: '{name}' must be true or false, not '{shown(text)}'",
                help='write "true" or "false"',
            )
        elif name in names.NUMBERS and not (text.removeprefix("-").isascii() and _whole(text)):
            yield RULE.finding(
                variable.span,
                f"kube-vip exits at start: '{name}' must be a whole number, not '{shown(text)}'",
                help="write the number alone, times in seconds",
            )


def _whole(text: str) -> bool:
    return text.removeprefix("-").removeprefix("+").isdigit()
