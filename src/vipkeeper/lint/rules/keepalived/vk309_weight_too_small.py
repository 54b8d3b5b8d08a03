"""The weight of a check moves nothing.

## What it does
Reports instances whose priority, after a check has failed, is still not below that of another server whose checks
succeed.

## Why it is bad
A weight changes the priority by that much. If the holder stays first with it, the VIP stays on the sick server.

## Example
Bad:
```
# cp1
vrrp_script api {
    script "/etc/keepalived/check.sh"
    weight -2
}
vrrp_instance VIP {
    priority 200
    interface eth0
    virtual_router_id 61
    virtual_ipaddress {
        10.10.10.100
    }
    track_script {
        api
    }
}
# cp2
vrrp_script api {
    script "/etc/keepalived/check.sh"
    weight -2
}
vrrp_instance VIP {
    priority 100
    interface eth0
    virtual_router_id 61
    virtual_ipaddress {
        10.10.10.100
    }
    track_script {
        api
    }
}
```

Good:
```
# cp1
vrrp_script api {
    script "/etc/keepalived/check.sh"
    weight -20
}
vrrp_instance VIP {
    priority 101
    interface eth0
    virtual_router_id 61
    virtual_ipaddress {
        10.10.10.100
    }
    track_script {
        api
    }
}
# cp2
vrrp_script api {
    script "/etc/keepalived/check.sh"
    weight -20
}
vrrp_instance VIP {
    priority 100
    interface eth0
    virtual_router_id 61
    virtual_ipaddress {
        10.10.10.100
    }
    track_script {
        api
    }
}
```

## How to fix
Make the weight larger than the distance of the priorities, or leave it out: then a failed check takes the server out
of the election.

## How to verify
Let the check fail on the holder: another server takes the VIP.

## References
acassen/keepalived#942; lablabs/ansible-role-rke2#60.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.keepalived.peers import Member, elections, line_of, weight_of
from vipkeeper.lint.scope import Cluster

RULE = Rule("VK309", "weight-too-small", Severity.ERROR, Reach.CLUSTER, (Kind.KEEPALIVED,))


def check(cluster: Cluster) -> Iterator[Finding]:
    """For each check of each server: who would be first without it."""
    for members in elections(cluster):
        every = [_healthy(member) for member in members]
        known = sorted(value for value in every if value is not None)
        for member, healthy in zip(members, every, strict=True):
            if healthy is None or len(known) < len(every) or healthy < known[-1]:
                continue
            best = known[-2]
            for line in member.instance.scripts:
                weight = weight_of(member, line)
                if not weight:
                    continue
                sick = max(1, min(254, healthy - abs(weight)))
                if sick >= best:
                    yield RULE.finding(
                        line.span,
                        f"with this check failed '{shown(member.server.name)}' still has {sick}, others {best}",
                        help=f"weight must be more than {healthy - best}, or none",
                        related=[Related(line_of(member, "priority"), "the priority")],
                    )


def _healthy(member: Member) -> int | None:
    """The priority while every check succeeds; None where a weight is not known."""
    weights = [weight_of(member, line) for line in member.instance.scripts]
    if None in weights:
        return None
    total = member.instance.priority + sum(weight for weight in weights if weight and weight > 0)
    return max(1, min(254, total))
