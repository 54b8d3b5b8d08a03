"""A mode of the kubeconfig that is none, or lets everybody write it.

## What it does
Reports a `write-kubeconfig-mode` that is no octal number, and one with the bit that lets all users write. (A mode that YAML changes is
VK106's.)

## Why it is bad
RKE2 logs `Failed to set ... to mode` and leaves 0600. A kubeconfig that others may write lets any user send the administrator's
kubectl to another server.

## Example
Bad:
```yaml
write-kubeconfig-mode: u=rw,g=r
```

Good:
```yaml
write-kubeconfig-mode: "0640"
```

## How to fix
Write three or four octal digits in quotes; 0600 is the default, `write-kubeconfig-group` with 0640 lets a group read.

## How to verify
`stat -c %a /etc/rancher/rke2/rke2.yaml` after a restart.

## References
k3s `pkg/util/file.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server
from vipkeeper.lint.yaml11 import Meaning, resolve

RULE = Rule("VK141", "bad-mode", Severity.WARNING, Reach.SERVER, SETTINGS)
_MODE = re.compile(r"[0-7]{3,4}")


def check(server: Server) -> Iterator[Finding]:
    """The mode as the program gets it."""
    setting = server.settings.get("write-kubeconfig-mode")
    value = setting.value if setting is not None else None
    if setting is None or value is None:
        return
    if setting.entry and value.scalar and resolve(value.scalar).meaning is Meaning.OCTAL:
        return
    if not _MODE.fullmatch(value.text):
        message = f"'{shown(value.text)}' is no mode: three or four octal digits"
    elif int(value.text, 8) & 0o002:
        message = f"mode {value.text} lets every user write the administrator's kubeconfig"
    else:
        return
    yield RULE.finding(value.span, message, help='write "0600", or "0640" with a group')
