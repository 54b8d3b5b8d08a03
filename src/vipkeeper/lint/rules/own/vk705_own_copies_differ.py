"""cluster.yaml is not the same on all servers.

## What it does
Reports servers whose `vip`, `servers` (with their order), `port` or `distribution` differ from those of most.

## Why it is bad
Adverts carry a digest of the VIP and the servers. Servers whose digest differs raise an alarm, and the holder keeps the VIP; with another
port they do not hear each other at all, and each holds the VIP.

## Example
Bad:
```yaml
# cp1
vip: 10.10.10.100
servers: {cp1: 10.10.10.11, cp2: 10.10.10.12, cp3: 10.10.10.13}
# cp2
vip: 10.10.10.100
servers: {cp1: 10.10.10.11, cp2: 10.10.10.12}
```

Good:
```yaml
# cp1 and cp2
vip: 10.10.10.100
servers: {cp1: 10.10.10.11, cp2: 10.10.10.12, cp3: 10.10.10.13}
```

## How to fix
Copy the file to every server and reload.

## How to verify
`sha256sum /etc/vipkeeper/cluster.yaml` is the same on every server.

## References
docs/configuration.md, "Order of servers".
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.compare import shown_name
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.own import OwnConfig
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, as_address

RULE = Rule("VK705", "own-copies-differ", Severity.ERROR, Reach.CLUSTER, (Kind.OWN_CONFIG,))


def check(cluster: Cluster) -> Iterator[Finding]:
    """Each key of the copies against the first copy."""
    copies = [(server, conf) for server in cluster.servers for conf in server.all(OwnConfig)]
    for server, conf in copies[1:]:
        first, usual = copies[0]
        if conf is usual or server is first:
            continue
        for key in ("vip", "servers", "port", "distribution"):
            entry, other = conf.root.entry(key), usual.root.entry(key)
            if _value(conf, key) != _value(usual, key):
                there = other.key.span if other else usual.source.start
                yield RULE.finding(
                    entry.key.span if entry else conf.source.start,
                    f"'{key}' of {shown_name(server)} and {shown_name(first)} differ",
                    help="copy one file to every server and reload",
                    related=[Related(there, f"'{key}' of {shown_name(first)}")],
                )


def _value(conf: OwnConfig, key: str) -> object:
    """What is compared; the order of servers counts."""
    if key == "vip":
        return {as_address(vip.text) for vip in conf.vips}
    if key == "servers":
        return [(name.text, as_address(word.text)) for name, word in conf.servers]
    scalar = conf.root.scalar(key)
    return scalar.text if scalar else {"port": "9346", "distribution": "rke2"}[key]
