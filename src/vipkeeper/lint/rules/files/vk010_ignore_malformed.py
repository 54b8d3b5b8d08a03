"""An ignore comment has no reason, or cannot be read.

## What it does
Reports comments that begin with `vipkeeper:`, have a word such as `ignore` or `disable` or name a code, and are not
`ignore CODE reason`. Other comments that begin so are left alone.

## Why it is bad
Such a comment keeps nothing quiet. A reason is asked for because a year later nobody knows why the finding was wrong.

## Example
Bad:
```yaml
node-ip: 10.10.10.100  # vipkeeper: ignore VK105
```

Good:
```yaml
node-ip: 10.10.10.100  # vipkeeper: ignore VK105 lab with one server, moved by hand
```

## How to fix
Write `# vipkeeper: ignore CODE reason`, behind the line or above it; `until 2027-01-31` before the reason gives it an end;
`ignore-file` is about the whole file.

## How to verify
Run `vipkeeper lint` again: the footer counts what is ignored.

## References
None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.run import Run

RULE = Rule("VK010", "ignore-malformed", Severity.ERROR, Reach.RUN, kinds=())


def check(run: Run) -> Iterator[Finding]:
    """Comments that keep nothing quiet."""
    for ignore in run.ignores:
        if ignore.malformed:
            yield RULE.finding(ignore.span, f"this comment ignores nothing: {ignore.malformed}")
