"""A configuration file is empty.

## What it does
Reports files that by their path are a configuration and hold nothing but comments and white space.

## Why it is bad
The program starts with its defaults: a server with an empty config.yaml is a cluster of its own, with a token of its own.

## Example
Bad:
```yaml
# token: abc
```

Good:
```yaml
token: abc
tls-san:
  - 10.10.10.100
```

## How to fix
Write the settings, or remove the file.

## How to verify
`grep -v '^#' FILE` shows settings.

## References
None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Trouble
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK007", "empty-file", Severity.WARNING, Reach.CLUSTER, kinds=())
_TROUBLES = (Trouble.EMPTY,)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Every such problem."""
    for problem in cluster.problems:
        if problem.trouble in _TROUBLES:
            yield RULE.finding(problem.span, problem.message)
