"""An ignore comment has passed its date.

## What it does
Reports ignore comments with `until DATE` when that day is over.

## Why it is bad
What was to be mended until then has not been.

## Example
Bad:
```yaml
node-ip: 10.10.10.100  # vipkeeper: ignore VK105 until 2020-01-31 lab
```

Good:
```yaml
node-ip: 10.10.10.11
```

## How to fix
Mend what the comment hides, or give it a new date.

## How to verify
Run `vipkeeper lint` again.

## References
None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.run import Run

RULE = Rule("VK012", "ignore-expired", Severity.WARNING, Reach.RUN, kinds=())


def check(run: Run) -> Iterator[Finding]:
    """Comments whose date has passed."""
    for ignore in run.ignores:
        if not ignore.malformed and ignore.until is not None and ignore.until < run.today:
            message = f"ended on {ignore.until.isoformat()}; what it kept quiet is shown again"
            yield RULE.finding(ignore.span, message)
