"""kube-vip is not told to run.

## What it does
Reports a container of kube-vip whose first argument is not `manager`.

## Why it is bad
kube-vip prints its help and exits; the container is in CrashLoopBackOff and nobody holds the VIP. `start` went away
with v0.8.0.

## Example
Bad:
```yaml
args: [start]
```

Good:
```yaml
args: [manager]
```

## How to fix
Begin the arguments with `manager`.

## How to verify
`crictl logs` of the container shows no help text.

## References
kube-vip `cmd/kube-vip.go`; commit b9f8c3b (v0.8.0).
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity, Software, VersionRange
from vipkeeper.lint.scope import File

_WITHOUT_START = VersionRange(Software.KUBE_VIP, since="v0.8.0")
RULE = Rule(
    "VK212",
    "kube-vip-no-manager",
    Severity.ERROR,
    Reach.FILE,
    (
        Kind.KUBEVIP_POD,
        Kind.KUBEVIP_DAEMONSET,
    ),
    versions=(_WITHOUT_START,),
)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """Look at the arguments, where the image's own command runs."""
    kubevip = file.document
    if kubevip.container is None or kubevip.container.get("command") is not None:
        return
    words = [word for word in kubevip.args if not word.text.startswith("-")]
    if any(word.text == "manager" for word in words):
        return
    started = any(word.text == "start" for word in words)
    place = words[0].span if words else (kubevip.image or kubevip.container).span
    given = f"'{shown(words[0].text)}' is no way to run it" if words else "no argument"
    yield RULE.finding(
        place,
        f"kube-vip prints its help and exits: {given}",
        help="args: [manager]",
        versions=(_WITHOUT_START,) if started else (),
    )
