"""Only the first eight characters of a password count.

## What it does
Reports `auth_pass` with more than 8 bytes in an instance of VRRP version 2.

## Why it is bad
keepalived uses the first 8 and drops the rest: two clusters whose passwords differ later than that take each other's
adverts, and the password is weaker than it looks.

## Example
Bad:
```
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    authentication {
        auth_type PASS
        auth_pass control-plane-of-production
    }
    virtual_ipaddress {
        10.10.10.100
    }
}
```

Good:
```
vrrp_instance VIP {
    interface eth0
    virtual_router_id 61
    authentication {
        auth_type PASS
        auth_pass k8s-vip1
    }
    virtual_ipaddress {
        10.10.10.100
    }
}
```

## How to fix
Write 8 characters or fewer, the same on all servers. The first 8 of what is there keep the cluster as it is.

## How to verify
The log of keepalived no longer says `Truncating auth_pass to 8 characters`.

## References
keepalived.conf(5), "auth_pass"; RFC 2338, section 5.3.6.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.keepalived import Keepalived
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import PASSWORD_LENGTH, Member, version_of
from vipkeeper.lint.scope import Server

RULE = Rule("VK327", "vrrp-password-cut", Severity.WARNING, Reach.SERVER, (Kind.KEEPALIVED,))


def check(server: Server) -> Iterator[Finding]:
    """The password of each instance."""
    for conf in server.all(Keepalived):
        for instance in conf.instances:
            block = instance.block.first("authentication")
            line = block.first("auth_pass") if block is not None else None
            word = line.value if line is not None else None
            if word is None or version_of(Member(server, conf, instance)) != 2:
                continue
            if len(word.text.encode(errors="replace")) > PASSWORD_LENGTH:
                yield RULE.finding(
                    word.span,
                    f"keepalived uses the first {PASSWORD_LENGTH} characters of this password only",
                    help=f"write {PASSWORD_LENGTH} characters or fewer, the same on all servers",
                )
