"""An ignore comment is about nothing.

## What it does
Reports ignore comments whose codes find nothing on their line, when those rules ran.

## Why it is bad
The mistake is gone and the comment would hide the next one.

## Example
Bad:
```yaml
token: abc  # vipkeeper: ignore VK105 moved by hand
```

Good:
```yaml
token: abc
```

## How to fix
Remove the comment.

## How to verify
Run `vipkeeper lint` again.

## References
None.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.run import Run

RULE = Rule("VK011", "ignore-unused", Severity.WARNING, Reach.RUN, kinds=())


def check(run: Run) -> Iterator[Finding]:
    """Comments about findings that no longer exist."""
    for ignore in run.ignores:
        judged = any(word in run.judged for code in ignore.codes for word in _words(code))
        if judged and not ignore.malformed and ignore not in run.used:
            codes = ", ".join(ignore.codes)
            yield RULE.finding(ignore.span, f"nothing here is found by {codes}; remove the comment")


def _words(code: str) -> tuple[str, str]:
    return code.upper(), code.lower()
