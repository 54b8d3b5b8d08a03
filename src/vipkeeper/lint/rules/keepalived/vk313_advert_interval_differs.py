"""The servers of one VIP send adverts at different intervals.

## What it does
Reports instances of one VIP with different `advert_int`. With VRRP version 3 that is information only.

## Why it is bad
Version 2 discards adverts with another interval: each server hears nobody, and all of them hold the VIP.

## Example
Bad:
```
# cp1
advert_int 1
# cp2
advert_int 2
```

Good:
```
# cp1 and cp2
advert_int 1
```

## How to fix
Write the same on all servers.

## How to verify
`tcpdump -ni eth0 vrrp` shows adverts of one server.

## References
RFC 3768, section 7.1; keepalived 2.2.7, tried.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import Member, elections, line_of, value_of, version_of
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK313", "advert-interval-differs", Severity.ERROR, Reach.CLUSTER, (Kind.KEEPALIVED,))


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each interval against that of the first server."""
    for first, *others in elections(cluster):
        for member in others:
            mine, theirs = (_interval(m) for m in (member, first))
            if mine == theirs or mine is None or theirs is None:
                continue
            old = version_of(member) == 2 and version_of(first) == 2
            yield RULE.finding(
                line_of(member, "advert_int"),
                f"adverts every {mine:g} s here and every {theirs:g} s on '{shown(first.server.name)}'"
                + (": each discards the other's" if old else ""),
                help="write the same on all servers",
                related=[Related(line_of(first, "advert_int"), "the other interval")],
                severity=Severity.ERROR if old else Severity.INFO,
            )


def _interval(member: Member) -> float | None:
    try:
        return float(value_of(member, "advert_int", "1"))
    except ValueError:
        return None
