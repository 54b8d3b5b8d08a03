"""kube-vip with its election in etcd cannot serve Services or balance.

## What it does
Reports `lb_enable` or `svc_enable` together with `--leaderElectionType=etcd`.

## Why it is bad
In that mode kube-vip has no connection to Kubernetes; it ends with a nil pointer and starts again, for ever.

## Example
Bad:
```yaml
args: [manager, --leaderElectionType=etcd]
env:
  - {name: lb_enable, value: "true"}
```

Good:
```yaml
args: [manager, --leaderElectionType=etcd]
```

## How to fix
Switch it off, or elect by the Lease of Kubernetes.

## How to verify
`crictl ps` shows no restarts of kube-vip.

## References
kube-vip `pkg/cluster/clusterLeaderElection.go`, `pkg/etcd/election.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Rule, Severity
from vipkeeper.lint.scope import File

RULE = Rule("VK234", "kube-vip-etcd-services", Severity.ERROR, Reach.FILE, KUBEVIP)


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """What needs the API of Kubernetes."""
    kubevip = file.document
    if kubevip.flag("leaderElectionType") != "etcd":
        return
    for name in ("lb_enable", "svc_enable"):
        variable = kubevip.variable(name)
        if variable is not None and kubevip.is_true(name):
            yield RULE.finding(
                variable.span,
                f"'{name}' needs the API of Kubernetes, which kube-vip does not use with etcd",
                help="switch it off, or leave --leaderElectionType out",
            )
