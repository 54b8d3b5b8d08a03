"""The port of adverts lies in the range of node ports.

## What it does
Reports a `port` of cluster.yaml inside `service-node-port-range`, or inside its default 30000-32767.

## Why it is bad
A UDP service can get that node port. kube-proxy then takes the adverts: the servers no longer hear each other, and another one claims
the VIP.

## Example
Bad:
```yaml
port: 31000
```

Good:
```yaml
port: 9346
```

## How to fix
Leave `port` at 9346, or take one below the range. It must be the same on every server.

## How to verify
`vipkeeper status` shows every server as heard.

## References
kube-apiserver `--service-node-port-range`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.networks import port_range
from vipkeeper.lint.parsers.own import OwnConfig
from vipkeeper.lint.rule import (
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Server

RULE = Rule("VK708", "own-port-in-node-ports", Severity.WARNING, Reach.SERVER, (Kind.OWN_CONFIG,))


def check(server: Server) -> Iterator[Finding]:
    """The port against the range that is set, or the default."""
    value = server.settings.value("service-node-port-range")
    ports = port_range(value.text) if value else range(30000, 32768)
    for conf in server.all(OwnConfig):
        word = conf.root.scalar("port")
        number = int(word.text) if word and word.text.isdigit() and len(word.text) < 6 else 9346
        if ports is not None and number in ports:
            place = word.span if word else conf.source.start
            yield RULE.finding(
                place,
                f"port {number} lies in the range of node ports, {ports[0]}-{ports[-1]}",
                help="take a port below the range, the same on every server",
                related=[Related(value.span, "'service-node-port-range'")] if value else (),
            )
