"""Times of etcd that it refuses.

## What it does
Reports `heartbeat-interval` and `election-timeout` in `etcd-arg` where the timeout is less than five intervals or above 50 s. RKE2 and k3s
set 500 and 5000 ms; one that is given alone meets the other's default.

## Why it is bad
etcd exits with `--election-timeout[1000ms] should be at least as 5 times as --heartbeat-interval[500ms]`, so the API does not start.

## Example
Bad:
```yaml
etcd-arg:
  - election-timeout=1000
```

Good:
```yaml
etcd-arg:
  - heartbeat-interval=200
  - election-timeout=2000
```

## How to fix
Set both, the timeout at least five times the interval (ten is usual), the same on all servers. The defaults suit most networks.

## How to verify
`grep -E 'heartbeat|election' /var/lib/rancher/rke2/server/db/etcd/config`.

## References
etcd `server/embed/config.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import SETTINGS
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK130", "etcd-timers", Severity.ERROR, Reach.SERVER, SETTINGS)
_DEFAULTS = {"heartbeat-interval": 500, "election-timeout": 5000}
_LONGEST = 50_000


def check(server: Server) -> Iterator[Finding]:
    """Both times in milliseconds, the last of each counts."""
    times = dict(_DEFAULTS)
    place = None
    for value in server.settings.values("etcd-arg"):
        name, _, number = value.text.lstrip("-").partition("=")
        if name in times and number.isdigit() and len(number) < 10:
            times[name] = int(number)
            place = value.span
    interval, timeout = times["heartbeat-interval"], times["election-timeout"]
    if place is None:
        return
    if timeout < 5 * interval:
        yield RULE.finding(
            place,
            f"an election timeout of {timeout} ms is less than 5 heartbeats of {interval} ms",
            help=f"election-timeout={10 * interval}, or remove both",
        )
    elif timeout > _LONGEST:
        yield RULE.finding(place, f"etcd takes no election timeout above {_LONGEST} ms: {timeout}")
