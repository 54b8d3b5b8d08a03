"""haproxy cuts watches.

## What it does
Reports `timeout client` and `timeout server` of less than 35 seconds for the control plane, unless `timeout tunnel`
is longer.

## Why it is bad
Watches and `kubectl logs -f` may be silent for longer; haproxy closes them. Controllers list everything anew, and
`kubectl logs -f` ends with `unexpected EOF`. Clients of Kubernetes ping an idle connection after 30 seconds only.

## Example
Bad:
```
defaults
    timeout client 20s
    timeout server 20s
```

Good:
```
defaults
    timeout client 10m
    timeout server 10m
```

## How to fix
Take some minutes for both.

## How to verify
`kubectl logs -f` of a silent pod stays for two minutes.

## References
kubernetes/kubeadm#2227.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.haproxy import Haproxy, Section, milliseconds
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.rules.haproxy.pools import pools
from vipkeeper.lint.scope import File

RULE = Rule("VK404", "haproxy-short-timeout", Severity.WARNING, Reach.FILE, (Kind.HAPROXY,))


def check(file: File[Haproxy]) -> Iterator[Finding]:
    """The times of each pool and of its frontends."""
    seen = set()
    for pool in pools(file.document):
        tunnel = _time(file.document, pool.section, "tunnel")
        sections = {id(b.section): b.section for b in pool.fronts}
        places = [(section, "client") for section in sections.values()]
        for section, which in [*places, (pool.section, "server")]:
            line = file.document.setting(section, "timeout", which)
            time = _time(file.document, section, which)
            if line is None or time is None or line.span in seen or (tunnel or 0) >= _ENOUGH:
                continue
            seen.add(line.span)
            if 0 < time < _ENOUGH:
                yield RULE.finding(
                    line.span,
                    f"haproxy closes a watch that is silent for {time / 1000:g} s",
                    help=f"timeout {which} 10m",
                )


_ENOUGH = 35_000


def _time(haproxy: Haproxy, section: Section, which: str) -> float | None:
    line = haproxy.setting(section, "timeout", which)
    return milliseconds(line.words[2]) if line is not None and len(line.words) > 2 else None
