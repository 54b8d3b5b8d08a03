"""A file refers to itself, or grows without end.

## What it does
Reports YAML aliases that expand to more than 200,000 values or to themselves, files of keepalived that include each
other, links that lead back to themselves, and folders that were reached twice.

## Why it is bad
No program gets to the end of it. What is behind the place was not judged.

## Example
Bad:
```yaml
tls-san: &names [10.10.10.100, *names]
```

Good:
```yaml
tls-san: [10.10.10.100]
```

## How to fix
Write the values out, remove the include or the link that closes the circle.

## How to verify
Run `vipkeeper lint PATH` again.

## References
None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Trouble
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK005", "endless", Severity.ERROR, Reach.CLUSTER, kinds=())
_TROUBLES = (Trouble.EXPANSION, Trouble.CYCLE)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Every such problem."""
    for problem in cluster.problems:
        if problem.trouble in _TROUBLES:
            yield RULE.finding(problem.span, problem.message)
