"""A check of keepalived that asks the VIP.

## What it does
Reports tracked scripts whose URL has the VIP as host.

## Why it is bad
The answer comes from whoever holds the VIP: sick servers look healthy as long as the holder is, and when nobody holds
it, every server is in FAULT state and nobody ever takes it.

## Example
Bad:
```
vrrp_script api {
    script "/usr/bin/curl -sfk --max-time 2 https://10.10.10.100:6443/readyz"
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
Ask 127.0.0.1.

## How to verify
`ip addr del` the VIP from its holder: another server takes it.

## References
keepalived.conf(5), "VRRP scripts".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.facts import host_of
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.keepalived.checks import tracked
from vipkeeper.lint.scope import File, as_address

RULE = Rule("VK307", "check-through-vip", Severity.ERROR, Reach.FILE, (Kind.KEEPALIVED,))


def check(file: File[Keepalived]) -> Iterator[Finding]:
    """Look at each URL that is asked."""
    own = {
        address
        for instance in file.document.instances
        for word in instance.vips
        if (address := as_address(word.text))
    }
    for script in tracked(file.document):
        for url in script.urls:
            address = as_address(host_of(url))
            if address is not None and (address in own or file.facts.is_vip(str(address))):
                yield RULE.finding(
                    script.span,
                    f"the check asks whoever holds the VIP, {address}, and not this server",
                    help="ask 127.0.0.1",
                )
                break
