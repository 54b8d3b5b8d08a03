"""A check of keepalived that cannot fail.

## What it does
Reports tracked scripts that succeed whatever happens: `true`, `echo`, a shell command that ends in `|| true`, `;
true` or `exit 0`. So does a script file beside the configuration whose last line is `exit 0` and that ends nowhere else.

## Why it is bad
The VIP stays on a server whose API server is dead, as if there were no check.

## Example
Bad:
```
vrrp_script api {
    script "/usr/bin/sh -c 'curl -sf http://127.0.0.1:8080/ || true'"
    interval 3
    fall 3
}
```

Good:
```
vrrp_script api {
    script "/usr/bin/curl -sf --max-time 2 --cacert /etc/kubernetes/pki/ca.crt --cert /etc/keepalived/check.crt --key /etc/keepalived/check.key https://127.0.0.1:6443/readyz"
    interval 3
    fall 3
}
```

## How to fix
Let the command fail when the API server of this host does not answer.

## How to verify
Stop the API server and run the command by hand: `echo $?` is not 0.

## References
keepalived.conf(5), "VRRP scripts".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.checks import Command, tracked
from vipkeeper.lint.scope import File

RULE = Rule("VK302", "check-cannot-fail", Severity.ERROR, Reach.FILE, (Kind.KEEPALIVED,))
_ALWAYS = re.compile(
    r"(\|\||;)\s*(/\S*/)?(true|:|exit\s+0)\s*['\"]?$|^/\S*/?sh\s+-c\s+['\"]?exit\s+0"
)
_BLIND = re.compile(r"(exit\s+0|true|:|return\s+0)\s*;?")
_OTHER_END = re.compile(r"\b(exit|return|exec|kill)\b|\bset\s+-\w*e|errexit|\btrap\b")
_PROGRAMS = frozenset(["true", "echo", "printf", "sleep", "logger", ":"])


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Look at each command that is tracked."""
    for script in tracked(file.document):
        if script.file is not None:
            last = _blind_end(script.commands)
            if last is not None:
                yield RULE.finding(
                    last.span,
                    f"this script ends with '{shown(last.text)}' whatever happened: the VIP stays where the API server is dead",
                    help="let the script fail when https://127.0.0.1:6443 does not answer",
                    related=[Related(script.tracked.span, "tracked here")],
                    confidence=Confidence.LIKELY,
                )
            continue
        text = script.command.strip()
        shell = script.program in ("sh", "bash", "dash")
        if script.program in _PROGRAMS or (shell and _ALWAYS.search(text)):
            yield RULE.finding(
                script.span,
                f"'{shown(text)}' never fails: the VIP stays where the API server is dead",
                help="let the command fail when https://127.0.0.1:6443 does not answer",
                related=[Related(script.tracked.span, "tracked here")],
            )


def _blind_end(lines: Sequence[Command]) -> Command | None:
    """The last line of a script that succeeds by it and has no other end."""
    if not lines or not _BLIND.fullmatch(lines[-1].text):
        return None
    return None if any(_OTHER_END.search(line.text) for line in lines[:-1]) else lines[-1]
