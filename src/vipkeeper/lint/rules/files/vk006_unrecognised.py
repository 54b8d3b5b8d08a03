"""A file that was named is none of the kinds that are judged.

## What it does
Reports files of the command line of which neither the path nor the content says what they are. Files found in a
folder are left out silently.

## Why it is bad
Nothing in the file was checked, which must not look like a clean run.

## Example
Bad:
```text
# notes.txt
the VIP is 10.10.10.100
```
```console
$ vipkeeper lint notes.txt
```

Good:
```yaml
# etc/rancher/rke2/config.yaml
token: abc
```
```console
$ vipkeeper lint etc/rancher/rke2/config.yaml
```

## How to fix
Name another file. A copy of a configuration is recognised by its usual name and folder, such as
`cp1/etc/rancher/rke2/config.yaml`.

## How to verify
`vipkeeper lint FILE` says how many files it judged.

## References
None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Trouble
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK006", "unrecognised", Severity.ERROR, Reach.CLUSTER, kinds=())
_TROUBLES = (Trouble.UNRECOGNISED,)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Every such problem."""
    for problem in cluster.problems:
        if problem.trouble in _TROUBLES:
            yield RULE.finding(problem.span, problem.message)
