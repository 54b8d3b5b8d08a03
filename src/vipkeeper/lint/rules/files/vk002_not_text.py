"""A file is not UTF-8 text.

## What it does
Reports files with zero bytes, bytes that are not UTF-8, and control characters that YAML forbids.

## Why it is bad
RKE2, k3s and kube-vip refuse such a file at start. It was saved by an editor in another encoding, or is no
configuration at all.

## Example
Bad:
```yaml latin-1
token: café        # Latin-1
```

Good:
```yaml
token: café        # UTF-8
```

## How to fix
Save the file as UTF-8: `iconv -f latin1 -t utf-8 FILE`.

## How to verify
`file FILE` says `UTF-8 Unicode text` or `ASCII text`.

## References
None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Trouble
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK002", "not-text", Severity.ERROR, Reach.CLUSTER, kinds=())
_TROUBLES = (Trouble.BINARY, Trouble.ENCODING)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Every such problem."""
    for problem in cluster.problems:
        if problem.trouble in _TROUBLES:
            yield RULE.finding(problem.span, problem.message)
