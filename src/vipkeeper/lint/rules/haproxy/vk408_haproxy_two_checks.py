"""Two kinds of check, of which one counts.

## What it does
Reports `option httpchk` together with `option ssl-hello-chk`, `option tcp-check` or another check in the same pool of
the control plane.

## Why it is bad
haproxy makes one of them, the last in the section. `ssl-hello-chk` sends an SSLv3 hello that a server of today may
refuse, and says nothing about health.

## Example
Bad:
```
backend api
    option httpchk GET /readyz
    option ssl-hello-chk
    server cp1 10.10.10.11:6443 check
```

Good:
```
backend api
    option httpchk GET /readyz
    http-check expect status 200
    default-server check check-ssl verify none
    server cp1 10.10.10.11:6443
```

## How to fix
Keep one. An HTTP check over TLS is `option httpchk` with `check-ssl` on the servers.

## How to verify
The statistics page names the kind of the last check (L7OK).

## References
kubernetes/kubeadm#2227; haproxy "option httpchk".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import pools
from vipkeeper.lint.scope import File

RULE = Rule("VK408", "haproxy-two-checks", Severity.WARNING, Reach.FILE, (Kind.HAPROXY,))
_KINDS = ("httpchk", "ssl-hello-chk", "tcp-check", "ldap-check", "mysql-check", "smtpchk")


def check(file: File[Haproxy]) -> Iterator[Finding]:
    """The options of each pool, its own ones only: they replace those of the defaults."""
    for pool in pools(file.document):
        options = [
            line
            for line in pool.section.all("option")
            if len(line.words) > 1 and line.words[1].text in _KINDS
        ]
        kinds = {line.words[1].text for line in options}
        if len(kinds) > 1:
            last = options[-1]
            other = next(o for o in options if o.words[1].text != last.words[1].text)
            yield RULE.finding(
                other.span,
                f"'{other.words[1].text}' is not made: '{last.words[1].text}' takes its place",
                help="keep one of them",
                related=[Related(last.span, "this one counts")],
            )
