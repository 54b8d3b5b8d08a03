"""keepalived runs no shell.

## What it does
Reports tracked scripts with `||`, `&&`, a pipe, `>` or `;` outside of `sh -c`, and commands with arguments that are
not in quotes.

## Why it is bad
keepalived starts the program itself: the signs become its arguments. `curl ... || exit 1` asks for the hosts `||`,
`exit` and `1` and always fails, so no server holds the VIP; of a command without quotes only the first word runs.

## Example
Bad:
```
vrrp_script api {
    script "/usr/bin/curl -sf http://127.0.0.1:8080/ || exit 1"
}
```

Good:
```
vrrp_script api {
    script "/usr/bin/curl -sf http://127.0.0.1:8080/"
}
```

## How to fix
Leave the signs out: the exit code of the program is what counts. Or write a script file and name it. Put a command
with arguments into quotes.

## How to verify
The journal of keepalived says `VRRP_Script(api) succeeded`.

## References
keepalived 2.2.7, tried; keepalived.conf(5), "VRRP scripts".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.keepalived.checks import tracked
from vipkeeper.lint.scope import File

RULE = Rule("VK303", "check-without-shell", Severity.ERROR, Reach.FILE, (Kind.KEEPALIVED,))
_SIGN = re.compile(r"(^|\s)(\|\||&&|\||\d?>>?|<)(\s|$)|;(\s|$)")


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Look at each command that is tracked."""
    for script in tracked(file.document):
        words = script.line.words[1:]
        if len(words) > 1:
            yield RULE.finding(
                script.span,
                f"keepalived runs '{shown(words[0].text)}' alone: the words behind it are lost",
                help=f'write script "{shown(script.command)}"',
            )
            continue
        sign = _SIGN.search(re.sub(r"'[^']*'", "", script.command))
        if sign is not None and script.program not in ("sh", "bash", "dash"):
            yield RULE.finding(
                script.span,
                f"keepalived runs no shell: '{shown(sign[0].strip())}' is an argument of {shown(script.program)}",
                help="leave it out, or put the command into a file",
            )
