"""A check that takes every answer for health.

## What it does
Reports tracked scripts, and lines of script files beside the configuration, that run curl without `--fail`, and without
looking at the status or the text that it prints.

## Why it is bad
Without it curl succeeds with 500 and 503 too. An API server that has lost etcd answers 500 for minutes; the VIP stays
there.

## Example
Bad:
```
vrrp_script api {
    script "/usr/bin/curl -sk --max-time 2 https://127.0.0.1:6443/readyz"
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
Add `-f` (`--fail`), and ask for `/readyz` with a client certificate where anonymous requests are refused (RKE2, k3s).

## How to verify
Ask for a path that does not exist: the command fails.

## References
kubernetes/kubeadm#3060; curl(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.keepalived.checks import tracked
from vipkeeper.lint.scope import File

RULE = Rule("VK305", "check-takes-any-answer", Severity.WARNING, Reach.FILE, (Kind.KEEPALIVED,))

_STATUS = re.compile(r"http_code|--write-out|response_code")
_JUDGED = re.compile(r"\bgrep\b|\btest\b|\[ |\$\(|`")
_CURL = re.compile(r"(^|[\s/'\"])curl\s")
_LINE = re.compile(r"^(if\s+(!\s+)?)?(/\S*/)?curl\s")


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Look at each curl that is tracked."""
    for script in tracked(file.document):
        runs = _CURL if script.file is None else _LINE
        if any(_STATUS.search(command.text) for command in script.commands):
            continue
        for command in script.commands:
            judged = _JUDGED.search(command.text) or not runs.search(command.text)
            if judged or not command.urls or command.has_option("f", "--fail", "--fail-with-body"):
                continue
            yield RULE.finding(
                command.span,
                "curl succeeds with 500 and 503 too: the VIP stays on a sick server",
                help="add -f",
            )
