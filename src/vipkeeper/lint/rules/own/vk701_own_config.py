"""Our own cluster.yaml is not valid.

## What it does
Reports everything that `vipkeeper run` would refuse in cluster.yaml.

## Why it is bad
The daemon does not start with it; a running one keeps its old configuration on reload and says so.

## Example
Bad:
```yaml
vip: 10.10.10.100
server:
  cp1: 10.10.10.11
```

Good:
```yaml
vip: 10.10.10.100
servers:
  cp1: 10.10.10.11
```

## How to fix
What each line must look like is in the message and in docs/configuration.md.

## How to verify
`vipkeeper doctor` says that the file is valid.

## References
docs/configuration.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.own import OwnConfig
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK701", "own-config", Severity.ERROR, Reach.FILE, (Kind.OWN_CONFIG,))


def check(file: File[OwnConfig]) -> Iterator[Finding]:
    """All that the daemon's own reader says."""
    from vipkeeper.config.checker import ConfigError  # most runs have no such file
    from vipkeeper.config.load import load_text

    source = file.document.source
    try:
        load_text(source.text.encode(), Path(source.file))
    except ConfigError as error:
        for problem in error.problems:
            yield RULE.finding(problem.span, problem.message)
