"""A check that only sees whether a program runs.

## What it does
Reports tracked scripts with `killall -0`, `pidof`, `pgrep` or `systemctl is-active`, in script files beside the
configuration too, and instances whose only check is `track_process`.

## Why it is bad
A program that hangs, or serves no healthy API server, still runs. The VIP stays there and clients get timeouts.

## Example
Bad:
```
vrrp_script api {
    script "/usr/bin/killall -0 haproxy"
    interval 3
    fall 3
}
```

Good:
```
vrrp_script api {
    script "/usr/bin/curl -sf --max-time 2 http://127.0.0.1:8404/health"
    interval 3
    fall 3
}
```

## How to fix
Ask for an answer: the API server through localhost, or a `monitor-uri` of haproxy with `monitor fail if { nbsrv(api)
lt 1 }`.

## How to verify
Stop all backends: the VIP leaves, or the check fails.

## References
RKE2 docs, `networking/cluster-loadbalancer`; haproxy "monitor fail".
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

RULE = Rule("VK306", "check-of-process", Severity.WARNING, Reach.FILE, (Kind.KEEPALIVED,))
_COMMAND = re.compile(
    r"\b(killall\s+(-0|-s\s*0)|pidof|pgrep|kill\s+-0|systemctl\s+(--quiet\s+|-q\s+)?is-active)\b"
)

_ASKS = re.compile(r"\b(curl|wget|nc|ncat|openssl|kubectl|socat|python3?)\b|/dev/tcp|/etc/")


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Look at each command, and at what has nothing else."""
    scripts = list(tracked(file.document))
    for script in scripts:
        found = next((c for c in script.commands if _COMMAND.search(c.text)), None)
        asks = script.file is not None and any(_ASKS.search(c.text) for c in script.commands)
        if found is not None and not asks and not any(c.urls for c in script.commands):
            yield RULE.finding(
                found.span,
                f"'{shown(found.text)}' only sees that the program runs, not that it serves",
                help="ask for an answer, such as curl -sf of a health page",
            )
    for instance in file.document.instances:
        process = instance.block.first("track_process")
        others = ("track_script", "track_file", "track_bfd")
        if process is not None and not any(instance.block.has(name) for name in others):
            yield RULE.finding(
                process.span,
                f"'{shown(instance.name)}' only sees that the program runs, not that it serves",
                help="add track_script with a check that asks for an answer",
            )
