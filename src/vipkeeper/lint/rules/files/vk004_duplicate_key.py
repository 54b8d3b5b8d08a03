"""A key stands twice in one mapping.

## What it does
Reports keys that are given again in the same mapping of a YAML file.

## Why it is bad
Only one of the two counts, and which one depends on the program; the other silently does nothing.

## Example
Bad:
```yaml
tls-san: [10.10.10.100]
token: abc
tls-san: [api.example.org]
```

Good:
```yaml
tls-san: [10.10.10.100, api.example.org]
token: abc
```

## How to fix
Keep one of them; join lists.

## How to verify
Run `vipkeeper lint FILE` again.

## References
None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Trouble
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK004", "duplicate-key", Severity.ERROR, Reach.CLUSTER, kinds=())
_TROUBLES = (Trouble.DUPLICATE_KEY,)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Every such problem."""
    for problem in cluster.problems:
        if problem.trouble in _TROUBLES:
            yield RULE.finding(problem.span, problem.message)
