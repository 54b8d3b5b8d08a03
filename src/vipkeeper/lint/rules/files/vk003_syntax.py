"""A file does not follow its own syntax.

## What it does
Reports the first place where a file cannot be parsed: broken YAML, tabs in its indentation, a brace that closes
nothing in keepalived.conf, a line of an environment file that is no assignment.

## Why it is bad
RKE2 does not start with a broken config.yaml; keepalived and systemd skip the line and go on without it. What comes
after that place was not judged.

## Example
Bad:
```yaml
token: "s3cret
tls-san: [10.10.10.100]
```

Good:
```yaml
token: "s3cret"
tls-san: [10.10.10.100]
```

## How to fix
Correct the line that is named. YAML is indented with spaces only.

## How to verify
Run `vipkeeper lint FILE` again; for keepalived also `keepalived -t -f FILE`.

## References
None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Trouble
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK003", "syntax", Severity.ERROR, Reach.CLUSTER, kinds=())
_TROUBLES = (Trouble.SYNTAX, Trouble.TAB, Trouble.TOO_DEEP, Trouble.UNSUPPORTED)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Every such problem."""
    for problem in cluster.problems:
        if problem.trouble in _TROUBLES:
            yield RULE.finding(problem.span, problem.message)
