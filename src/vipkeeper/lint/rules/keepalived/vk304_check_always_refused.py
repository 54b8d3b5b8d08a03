"""A check that RKE2 and k3s always refuse.

## What it does
Reports tracked scripts that ask `/readyz`, `/livez` or `/healthz` of port 6443 with `curl -f` but without a client
certificate or token, on servers of RKE2 or k3s; in script files beside the configuration too.

## Why it is bad
Both forbid anonymous requests: the answer is 401 even when all is well, and with `-f` that is a failure. Every
instance is in FAULT state and no server holds the VIP.

## Example
Bad:
```
# etc/rancher/rke2/config.yaml
token: abc

# etc/keepalived/keepalived.conf
vrrp_script api {
    script "/usr/bin/curl -sfk --max-time 2 https://127.0.0.1:6443/readyz"
    interval 3
    fall 3
}
```

Good:
```
# etc/rancher/rke2/config.yaml
token: abc

# etc/keepalived/keepalived.conf
vrrp_script api {
    script "/usr/bin/curl -sf --max-time 2 --cacert /var/lib/rancher/rke2/server/tls/server-ca.crt --cert /etc/keepalived/check.crt --key /etc/keepalived/check.key https://127.0.0.1:6443/readyz"
    interval 3
    fall 3
}
```

## How to fix
Give curl a client certificate of a user that may read `/readyz` only. `https://127.0.0.1:9345/ping` needs none, but
says only that RKE2 runs.

## How to verify
Run the command by hand on a healthy server: `echo $?` is 0.

## References
k3s `pkg/daemons/control/server.go` (anonymous-auth=false).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from vipkeeper.config.tree import shown
from vipkeeper.lint.facts import port_of
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.checks import tracked
from vipkeeper.lint.scope import Server

RULE = Rule("VK304", "check-always-refused", Severity.ERROR, Reach.SERVER, (Kind.KEEPALIVED,))
_CURL = re.compile(r"(if\s+!\s+)?(/\S*/)?curl\s")
_KNOWN = re.compile(r"(^|\s)(-E|--cert|--config|-K)\b|Authorization|--oauth2")
_PATHS = ("/readyz", "/livez", "/healthz")


def check(server: Server) -> Iterator[Finding]:
    """Look at the commands of servers that refuse anonymous requests."""
    settings = server.settings
    allowed = any("anonymous-auth=true" in v.text for v in settings.values("kube-apiserver-arg"))
    if settings.start is None or server.is_agent or allowed:
        return
    for script in (script for conf in server.all(Keepalived) for script in tracked(conf)):
        for command in script.commands:
            asked = [url for url in command.urls if port_of(url) == 6443 and _path(url) in _PATHS]
            if not asked or not _CURL.match(command.text) or _KNOWN.search(command.text):
                continue
            if not command.has_option("f", "--fail"):
                continue
            yield RULE.finding(
                command.span,
                f"{settings.product.value} answers 401 to '{shown(asked[0])}': the check always fails",
                help="give curl a client certificate (--cert, --key)",
                related=[Related(settings.start, "anonymous requests are refused here")],
                confidence=Confidence.LIKELY if script.file is not None else None,
            )


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
