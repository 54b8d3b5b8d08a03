"""A file mode without quotes is read as another number.

## What it does
Reports `write-kubeconfig-mode` with a leading zero and without quotes.

## Why it is bad
YAML 1.1 reads `0644` as octal, which is 420; RKE2 then reads `420` as the mode, and the kubeconfig gets `-r---w----`: its
readers can no longer read it, and a group may write it. `0600` becomes 384, which is no mode: RKE2 logs `Failed to set
... to mode` and leaves the file as it was made.

## Example
Bad:
```yaml
write-kubeconfig-mode: 0644
```

Good:
```yaml
write-kubeconfig-mode: "0644"
```

## How to fix
Put the mode in quotes. `644` without the zero is right as well.

## How to verify
`stat -c %a /etc/rancher/rke2/rke2.yaml` after a restart.

## References
k3s `pkg/configfilearg/parser.go`; YAML 1.1, section "Integer".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import Finding, Reach, Rule, Safety, Severity, replace
from vipkeeper.lint.scope import Server
from vipkeeper.lint.yaml11 import Meaning, resolve

RULE = Rule("VK106", "unquoted-mode", Severity.ERROR, Reach.SERVER, SETTINGS)


def check(server: Server) -> Iterator[Finding]:
    """The mode as YAML 1.1 reads it."""
    setting = server.settings.get("write-kubeconfig-mode")
    value = setting.value if setting is not None and setting.entry is not None else None
    if value is None or value.scalar is None:
        return
    found = resolve(value.scalar)
    if found.meaning is Meaning.OCTAL:
        right = f'"{value.scalar.text}"'
        yield RULE.finding(
            value.span,
            f"YAML reads {value.scalar.text} as {found.text}, {_effect(found.text)}",
            help=f"write-kubeconfig-mode: {right}",
            fix=replace(value.span, right, "put the mode in quotes", Safety.SAFE),
        )


def _effect(mode: str) -> str:
    """What a number does that k3s reads in base 8."""
    return "which is no mode" if set(mode) & set("89") else f"so the file gets mode {mode}"
