"""A file that RKE2 and k3s do not read.

## What it does
Reports `config.yml` beside where `config.yaml` is read, and files in folders below config.yaml.d.

## Why it is bad
Only `config.yaml`, and `*.yaml` and `*.yml` directly in config.yaml.d, are read. Everything else there is ignored without a word: the
server starts with defaults, as a cluster of its own if `server` was in that file.

## Example
Bad:
```yaml
# /etc/rancher/rke2/config.yml
token: abc
```

Good:
```yaml
# /etc/rancher/rke2/config.yaml
token: abc
```

## How to fix
Rename or move the file.

## How to verify
The first lines of `journalctl -u rke2-server` show what was set.

## References
k3s `pkg/configfilearg/parser.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.parsers.config_file import ConfigFile
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import File

RULE = Rule("VK140", "file-not-read", Severity.ERROR, Reach.FILE, SETTINGS)
_UNREAD = re.compile(r"/rancher/(rke2|k3s)/(config\.yml|config\.yaml\.d/.+/[^/]+)$")


def check(file: File[ConfigFile]) -> Iterator[Finding]:
    """Judge the path alone."""
    source = file.document.source
    if _UNREAD.search(str(source.path or source.file)):
        below = "/config.yaml.d/" in str(source.path or source.file)
        yield RULE.finding(
            source.start,
            "RKE2 and k3s do not read this file",
            help="move it into config.yaml.d itself" if below else "rename it to config.yaml",
        )
