"""A drop-in gives the service a second command.

## What it does
Reports drop-ins of rke2-server, rke2-agent and k3s with an `ExecStart` and no empty `ExecStart=` before it.

## Why it is bad
A drop-in adds to the list. systemd refuses the unit: `Service has more than one ExecStart= setting, which is only
allowed for Type=oneshot services`. The server does not start at the next boot.

## Example
Bad:
```yaml
[Service]
ExecStart=/usr/local/bin/rke2 server --debug
```

Good:
```yaml
[Service]
ExecStart=
ExecStart=/usr/local/bin/rke2 server --debug
```

## How to fix
Put an empty `ExecStart=` in front. Better: write the option into config.yaml.

## How to verify
`systemd-analyze verify rke2-server.service` says nothing.

## References
systemd.service(5), "ExecStart=".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.systemd import Unit
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK506", "unit-two-commands", Severity.ERROR, Reach.FILE, (Kind.SYSTEMD_UNIT,))
_UNITS = ("rke2-server.service", "rke2-agent.service", "k3s.service", "k3s-agent.service")


def check(file: File[Unit]) -> Iterator[Finding]:
    """Whether the list was emptied first."""
    unit = file.document
    if unit.name not in _UNITS or not unit.source.file.endswith(".conf"):
        return
    commands = [
        directive
        for directive in unit.directives
        if (directive.section, directive.key.text) == ("Service", "ExecStart")
    ]
    if commands and not any(directive.value.text == "" for directive in commands):
        yield RULE.finding(
            commands[0].key.span,
            f"{unit.name} has two commands with this one: systemd refuses the unit",
            help="write an empty ExecStart= in front",
        )
