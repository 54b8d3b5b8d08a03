"""A variable has no effect because a file sets the key.

## What it does
Reports variables such as `RKE2_URL` and `RKE2_TOKEN` whose key stands in config.yaml with another value.

## Why it is bad
The file wins. Whoever changes the environment file, as installers and configuration management do, changes nothing: the server goes
on joining the old address with the old token.

## Example
Bad:
```yaml
# etc/default/rke2-server
RKE2_URL=https://10.10.10.100:9345

# etc/rancher/rke2/config.yaml
server: https://10.10.10.11:9345
token: abc
```

Good:
```yaml
# etc/rancher/rke2/config.yaml
server: https://10.10.10.100:9345
token: abc
```

## How to fix
Keep the value in one place, config.yaml.

## How to verify
`systemctl show rke2-server -p EnvironmentFiles` and the files it names.

## References
k3s `pkg/configfilearg/parser.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.parsers.envfile import EnvFile
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK138", "environment-without-effect", Severity.WARNING, Reach.SERVER, SETTINGS)


def check(server: Server) -> Iterator[Finding]:
    """Every variable of a key against what counts."""
    settings = server.settings
    for environment in server.all(EnvFile):
        for key in settings.table.keys.values():
            setting = settings.get(key.name)
            if setting is None or setting.entry is None:
                continue
            for name in key.env:
                assignment = environment.get(name)
                written = ",".join(value.text for value in setting.values)
                if assignment is not None and assignment.value.text not in (written, ""):
                    yield RULE.finding(
                        assignment.name.span,
                        f"{name} has no effect: a file sets '{key.name}' to another value",
                        help="keep the value in one place",
                        related=[Related(setting.span, f"this '{key.name}' counts")],
                    )
