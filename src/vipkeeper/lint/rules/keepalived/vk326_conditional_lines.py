"""Lines of keepalived that count for some servers only.

## What it does
Names an instance with lines behind `@ID` or `@^ID`. Rules that compare servers leave it out.

## Why it is bad
It is right where each server runs with its own id; otherwise a server silently has no such line. keepalived drops a line
behind `@ID` unless ID is its `-i` (`--config-id`), by default the host's name without the domain, and says nothing. From the files
alone it is not known which of them count.

## Example
Bad:
```
vrrp_instance API {
    @main   priority 200
    @backup priority 100
}
```

Good:
```
vrrp_instance API {
    priority 200
}
```

## How to fix
Nothing, if the ids are the names of the servers or each keepalived is started with its `-i`. Otherwise write one file a server.

## How to verify
`keepalived -t -i ID -f FILE` on each server; `grep config-id /proc/$(pidof -s keepalived)/cmdline` shows the id where one is given.

## References
keepalived.conf(5), "Conditional configuration"; keepalived(8), `--config-id`; keepalived 2.2.7, tried.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived, Statement
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK326", "conditional-lines", Severity.INFO, Reach.FILE, (Kind.KEEPALIVED,))


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """The first such line of each instance."""
    for instance in file.document.instances:
        first = next(_conditional(instance.block), None)
        if first is not None:
            yield RULE.finding(
                first.span,
                f"'{shown(instance.name)}' is not compared with other servers: this counts only for"
                f" {_whom(first.condition)}",
                help="see that each keepalived runs with its -i, or that the ids are host names",
            )


def _conditional(block: Statement) -> Iterator[Statement]:
    if block.condition:
        yield block
    for child in block.children:
        yield from _conditional(child)


def _whom(condition: str) -> str:
    if condition.startswith("^"):
        return f"ids other than '{shown(condition[1:])}'"
    return f"the id '{shown(condition)}'"
