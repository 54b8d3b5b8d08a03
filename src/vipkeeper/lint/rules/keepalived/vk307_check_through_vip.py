"""A check of keepalived that asks the VIP.

## What it does
Reports tracked scripts whose URL has the VIP as host, and script files beside the configuration that ask nobody else.

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
        alone = script.file is None
        # a script may ask the VIP as well, such as the one of kubeadm where it is the holder
        asked = [
            (command, as_address(host_of(url)))
            for command in script.commands
            for url in (command.urls if alone else command.urls[:1])
        ]
        through = [
            (command, address)
            for command, address in asked
            if address is not None and (address in own or file.facts.is_vip(str(address)))
        ]
        if through and (alone or len(through) == len(asked)):
            command, address = through[0]
            yield RULE.finding(
                command.span,
                f"the check asks whoever holds the VIP, {address}, and not this server",
                help="ask 127.0.0.1",
            )
