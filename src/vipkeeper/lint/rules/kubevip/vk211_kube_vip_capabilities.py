"""kube-vip may not change addresses.

## What it does
Reports a container of kube-vip that is not privileged and has no capability NET_ADMIN, or drops ALL and does not add
NET_RAW.

## Why it is bad
The kernel refuses: `operation not permitted`. Without NET_ADMIN the VIP cannot be added; without NET_RAW nobody
learns by ARP where it is.

## Example
Bad:
```yaml
securityContext:
  capabilities:
    drop: [ALL]
    add: [NET_ADMIN]
```

Good:
```yaml
securityContext:
  capabilities:
    drop: [ALL]
    add: [NET_ADMIN, NET_RAW]
```

## How to fix
Add NET_ADMIN and NET_RAW. Load balancing with masquerade needs `privileged: true`.

## How to verify
The log of kube-vip has no `operation not permitted`.

## References
kube-vip `pkg/kubevip/config_generator.go`; capabilities(7).
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Mapping, Scalar
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File
from vipkeeper.lint.yaml11 import resolve

RULE = Rule(
    "VK211",
    "kube-vip-capabilities",
    Severity.ERROR,
    Reach.FILE,
    (
        Kind.KUBEVIP_POD,
        Kind.KUBEVIP_DAEMONSET,
    ),
)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Look at the capabilities of the container."""
    container = file.document.container
    if container is None:
        return
    context = container.mapping("securityContext")
    privileged = context.scalar("privileged") if context is not None else None
    if privileged is not None and resolve(privileged).text == "true":
        return
    added, dropped = _words(context, "add"), _words(context, "drop")
    if "ALL" in added:
        return
    missing = [] if "NET_ADMIN" in added else ["NET_ADMIN"]
    raw = file.document.uses_arp and "NET_RAW" not in added
    if raw and dropped & {"ALL", "NET_RAW"}:
        missing.append("NET_RAW")
    if missing:
        yield RULE.finding(
            (context or container).span,
            f"kube-vip has not the capability {' and '.join(missing)}: it cannot hold the VIP",
            help="add: [NET_ADMIN, NET_RAW]",
        )


def _words(context: Mapping | None, which: str) -> set[str]:
    items = context.items("capabilities", which) if context is not None else ()
    return {item.text.upper().removeprefix("CAP_") for item in items if isinstance(item, Scalar)}
