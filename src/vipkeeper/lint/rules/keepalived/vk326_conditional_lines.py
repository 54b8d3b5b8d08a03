"""Lines of keepalived that count for some servers only.

## What it does
Names a block with lines behind `@ID` or `@^ID` whose server runs with an unknown id, and these lines. Rules that compare servers leave
such an instance out. Rules about one file or server judge it once for each id that the lines name (at most 16), and for another id
where they name one alone; of several, each server is taken to have one. What is found for every id is reported as always; what
is found for some only is `likely` at most and says for which. Reports, as an error, a condition in front of the first
line of a block.

## Why it is bad
keepalived drops a line behind `@ID` unless ID is its `-i` (`--config-id`), by default the host's name without the domain, and
says nothing: a server with another id silently has no such line. Of a block it drops the first line alone; what was in it
falls into the block around it, whose end comes too soon.

## Example
Bad:
```
# etc/keepalived/keepalived.conf
vrrp_instance API {
    @main   priority 200
    @backup priority 100
    interface eth0
    virtual_router_id 61
    virtual_ipaddress {
        10.10.10.100
    }
}
```

Good:
```
# etc/default/keepalived
DAEMON_ARGS="-i main"

# etc/keepalived/keepalived.conf
vrrp_instance API {
    @main   priority 200
    @backup priority 100
    interface eth0
    virtual_router_id 61
    virtual_ipaddress {
        10.10.10.100
    }
}
```

## How to fix
Lint `/etc/default/keepalived` (or the drop-in of its unit) of each server with its keepalived.conf, or name the folders of the
servers as the ids. Instead of a conditional block write conditions in front of each line inside it.

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
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule(
    "VK326", "conditional-lines", Severity.INFO, Reach.FILE, (Kind.KEEPALIVED,), conditional=True
)
SHOWN = 20
"""Further lines of a block that are named."""


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """The lines of each block."""
    for span in file.document.headless:
        known = file.document.config_id is not None
        yield RULE.finding(
            span,
            "where this id is another one keepalived drops this line alone, not the block that it opens",
            help="put the condition in front of each line inside the block",
            severity=Severity.ERROR if known else Severity.WARNING,
        )
    for block in file.document.statements:
        lines = [*_conditional(block)]
        if not lines:
            continue
        first, *others = lines
        name = f"'{shown(block.value.text)}'" if block.value is not None else block.keyword
        left_out = f"{name} is not compared with other servers: "
        yield RULE.finding(
            first.span,
            f"{left_out if block.keyword == 'vrrp_instance' else f'in {name} '}"
            f"this counts only for {_whom(first.condition)}",
            help="see that each keepalived runs with its -i, or that the ids are host names",
            related=[
                Related(line.span, f"only for {_whom(line.condition)}") for line in others[:SHOWN]
            ],
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
