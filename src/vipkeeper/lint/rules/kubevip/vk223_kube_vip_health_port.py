"""The health port of kube-vip keeps a dead kube-vip alive.

## What it does
Reports `health_check_port` for releases from v1.1.0 to v1.2.3, and where the release is not known.

## Why it is bad
After losing the lease the process should exit and start anew; its health listener is never closed, so it hangs. The
pod stays Running and Ready, its `/healthz` says OK, and it never holds the VIP again.

## Example
Bad:
```yaml
env:
  - {name: health_check_port, value: "8080"}
```

Good:
```yaml
# no health_check_port
```

## How to fix
Delete it, with the probes that use it.

## How to verify
Delete the lease: the pod restarts, and one of them holds the VIP again.

## References
bunny-lab-io/Borealis#463; kube-vip `pkg/manager/manager.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Rule, Severity, Software, VersionRange
from vipkeeper.lint.scope import File

RULE = Rule(
    "VK223",
    "kube-vip-health-port",
    Severity.WARNING,
    Reach.FILE,
    KUBEVIP,
    Confidence.LIKELY,
    versions=(VersionRange(Software.KUBE_VIP, since="v1.1.0", before="v1.2.4"),),
)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """The port, in the releases that were looked at."""
    variable = file.document.variable("health_check_port")
    if variable is not None and variable.text not in ("", "0"):
        yield RULE.finding(
            variable.name.span,
            "with this port kube-vip hangs after losing its lease, while its health says OK",
            help="delete it, with the probes that use it",
        )
