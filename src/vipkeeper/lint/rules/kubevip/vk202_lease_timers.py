"""The lease times of kube-vip do not fit each other.

## What it does
Reports `vip_leaseduration`, `vip_renewdeadline` and `vip_retryperiod` unless lease > renew > 1.2 x retry >= 1.2, with the
defaults of the release where one is not set.

## Why it is bad
The election library of Kubernetes panics at start (`leaseDuration must be greater than renewDeadline`), the container
restarts for ever, and nobody holds the VIP.

## Example
Bad:
```yaml
apiVersion: v1
kind: Pod
metadata: {name: kube-vip}
spec:
  containers:
    - image: ghcr.io/kube-vip/kube-vip:v1.2.3
      env:
        - {name: vip_leaseduration, value: "5"}
        - {name: vip_renewdeadline, value: "10"}
```

Good:
```yaml
apiVersion: v1
kind: Pod
metadata: {name: kube-vip}
spec:
  containers:
    - image: ghcr.io/kube-vip/kube-vip:v1.2.3
      env:
        - {name: vip_leaseduration, value: "15"}
        - {name: vip_renewdeadline, value: "10"}
        - {name: vip_retryperiod, value: "2"}
```

## How to fix
Set all three or none: 15, 10 and 2 seconds are the defaults since v1.1.0, 5, 3 and 1 were those before.

## How to verify
`kubectl -n kube-system logs ds/kube-vip` has no panic; the restart count stays.

## References
kube-vip/kube-vip#1429.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.lint.kinds import KUBEVIP
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Finding, Reach, Related, Rule, Severity, Software, VersionRange
from vipkeeper.lint.scope import File

_NAMES = ("vip_leaseduration", "vip_renewdeadline", "vip_retryperiod")
_DEFAULTS = {
    VersionRange(Software.KUBE_VIP, since="v1.1.0"): (15, 10, 2),
    VersionRange(Software.KUBE_VIP, before="v1.1.0"): (5, 3, 1),
}
RULE = Rule("VK202", "lease-timers", Severity.ERROR, Reach.FILE, KUBEVIP, versions=tuple(_DEFAULTS))


def check(file: File[KubeVip]) -> Iterator[Finding]:
    """The three times with the defaults of the release."""
    kubevip = file.document
    given = [found for name in _NAMES if (found := kubevip.variable(name)) and found.text]
    if not given:
        return
    for versions, defaults in _DEFAULTS.items():
        lease, renew, retry = (
            kubevip.number(name, default) for name, default in zip(_NAMES, defaults, strict=True)
        )
        if lease > renew > 1.2 * retry and retry >= 1:
            continue
        wrong = "the lease must be longer than the renew deadline"
        if lease > renew:
            wrong = "the renew deadline must be longer than 1.2 retry periods"
        if retry < 1:
            wrong = "the retry period must be 1 s or more"
        yield RULE.finding(
            given[0].span,
            f"kube-vip panics at start: {wrong} (lease {lease} s, renew {renew} s, retry {retry} s)",
            help="set all three, such as 15, 10 and 2",
            related=[Related(other.span, other.name.text) for other in given[1:]],
            versions=(versions,) if len(given) < len(_NAMES) else (),
        )
