"""An ignore comment names a code that does not exist.

## What it does
Reports codes and names in ignore comments that no rule has.

## Why it is bad
The comment does nothing; most often it is a typing mistake.

## Example
Bad:
```yaml
node-ip: 10.10.10.100  # vipkeeper: ignore VK1O5 lab
```

Good:
```yaml
node-ip: 10.10.10.100  # vipkeeper: ignore VK105 lab
```

## How to fix
Correct the code; `vipkeeper explain --list` shows all.

## How to verify
`vipkeeper explain CODE` prints its page.

## References
None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.run import Run

RULE = Rule("VK013", "ignore-unknown-code", Severity.ERROR, Reach.RUN, kinds=())


def check(run: Run) -> Iterator[Finding]:
    """Codes that no rule has."""
    for ignore in run.ignores:
        for code in ignore.codes:
            if not ignore.malformed and not {code.upper(), code.lower()} & run.known:
                yield RULE.finding(ignore.span, f"there is no rule '{code}'")
