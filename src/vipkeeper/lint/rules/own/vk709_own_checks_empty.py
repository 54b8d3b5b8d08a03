"""No health check decides where the VIP is.

## What it does
Reports `checks: []` in cluster.yaml, and `distribution: none` without checks.

## Why it is bad
Every server counts as ready while its daemon runs. The VIP stays on, or goes to, a server whose API is dead, and clients get
`connection refused`.

## Example
Bad:
```yaml
checks: []
```

Good:
```yaml
distribution: rke2
```

## How to fix
Remove `checks`, so that those of `distribution` are used, or list some.

## How to verify
`vipkeeper status` shows a server as not ready while its API is stopped.

## References
docs/health-checks.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Sequence
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.own import OwnConfig
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import File

RULE = Rule("VK709", "own-checks-empty", Severity.WARNING, Reach.FILE, (Kind.OWN_CONFIG,))


def check(file: File[OwnConfig]) -> Iterator[Finding]:
    """An empty list, or none where the distribution has none either."""
    root = file.document.root
    checks = root.entry("checks")
    word = root.scalar("distribution")
    if checks is not None and isinstance(checks.value, Sequence) and not checks.value.items:
        span = checks.key.span
    elif checks is None and word is not None and word.text == "none":
        span = word.span
    else:
        return
    yield RULE.finding(
        span,
        "nothing is checked: every server counts as ready",
        help="remove 'checks' and name the distribution, or list checks",
    )
