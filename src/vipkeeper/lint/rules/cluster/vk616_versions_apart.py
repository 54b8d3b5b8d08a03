"""Servers run different releases.

## What it does
Reports images of RKE2 (`kube-apiserver-image`, `runtime-image` and others) more than one minor release apart, and static pods of kube-vip of
different releases.

## Why it is bad
API servers may be one minor release apart during an upgrade, not more: a newer one writes objects that an older one cannot read, and
clients of the VIP see another API after each move. Releases of kube-vip differ in the names of variables and in what they do
when a lease is lost.

## Example
Bad:
```yaml
# cp1
runtime-image: rancher/rke2-runtime:v1.34.2-rke2r1
# cp2
runtime-image: rancher/rke2-runtime:v1.31.5-rke2r1
```

Good:
```yaml
# cp1 and cp2
runtime-image: rancher/rke2-runtime:v1.34.2-rke2r1
```

## How to fix
Finish the upgrade: one minor release at a time, servers before agents.

## How to verify
`kubectl get nodes` shows one version.

## References
Kubernetes "Version Skew Policy".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from vipkeeper.lint.compare import Held, deviations, proven_servers, shown_name
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import (
    Confidence,
    Finding,
    Reach,
    Related,
    Rule,
    Severity,
)
from vipkeeper.lint.scope import Cluster, Server
from vipkeeper.lint.version import parse_version

RULE = Rule("VK616", "versions-apart", Severity.ERROR, Reach.CLUSTER, (), Confidence.LIKELY)
_KEYS = (
    "kube-apiserver-image",
    "kube-controller-manager-image",
    "kube-scheduler-image",
    "runtime-image",
)


def check(cluster: Cluster) -> Iterator[Finding]:
    """Images of each kind, then kube-vip's."""
    servers = proven_servers(cluster)
    for key in _KEYS:
        for found in deviations(servers, partial(_image, key=key)):
            one, other = parse_version(found.held.text), parse_version(found.common.text)
            if one is None or other is None:
                continue
            if one[0] != other[0] or abs(one[1] - other[1]) > 1:
                yield RULE.finding(
                    found.span,
                    f"{found.who} are more than one release apart: {found.held.text} and {found.common.text}",
                    help="upgrade one minor release at a time",
                    related=[Related(found.other_span, f"'{key}' of {shown_name(found.other)}")],
                )
    yield from _kubevip(cluster)


def _image(server: Server, key: str) -> Held | None:
    value = server.settings.value(key)
    tag = value.text.rpartition(":")[2] if value else ""
    return Held(tag, value.span) if value and parse_version(tag) else None


def _kubevip(cluster: Cluster) -> Iterator[Finding]:
    pods = [
        (server, pod, pod.version)
        for server in cluster.servers
        for pod in server.all(KubeVip)
        if pod.kind is Kind.KUBEVIP_POD and pod.version and pod.image
    ]
    for server, pod, version in pods[1:]:
        first, other, usual = pods[0]
        if version != usual and pod.image and other.image:
            yield RULE.finding(
                pod.image.span,
                f"kube-vip of {shown_name(server)} and {shown_name(first)} are of different releases",
                help="use the same image on every server",
                related=[Related(other.image.span, f"kube-vip of {shown_name(first)}")],
                severity=Severity.WARNING,
            )
