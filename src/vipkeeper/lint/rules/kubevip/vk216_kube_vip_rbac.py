"""The service account of kube-vip may not write leases.

## What it does
Reports a DaemonSet of kube-vip that uses the API through its service account, where that is the default one, or where
the role bound to it in these files does not allow to get, create and update leases. A binding that is in none of the
files is not missed.

## Why it is bad
kube-vip gets no lease and nobody holds the VIP: `leases.coordination.k8s.io "plndr-cp-lock" is forbidden`.

## Example
Bad:
```yaml
# var/lib/rancher/rke2/server/manifests/kube-vip-rbac.yaml
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kube-vip}
rules:
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [list, get, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: kube-vip}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kube-vip}
subjects:
  - {kind: ServiceAccount, name: kube-vip, namespace: kube-system}

# var/lib/rancher/rke2/server/manifests/kube-vip.yaml
apiVersion: apps/v1
kind: DaemonSet
spec:
  template:
    spec:
      hostNetwork: true
      serviceAccountName: kube-vip
      containers:
        - {name: kube-vip, image: ghcr.io/kube-vip/kube-vip:v1.2.3, args: [manager]}
```

Good:
```yaml
# var/lib/rancher/rke2/server/manifests/kube-vip-rbac.yaml
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kube-vip}
rules:
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [list, get, watch, update, create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: kube-vip}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kube-vip}
subjects:
  - {kind: ServiceAccount, name: kube-vip, namespace: kube-system}

# var/lib/rancher/rke2/server/manifests/kube-vip.yaml
apiVersion: apps/v1
kind: DaemonSet
spec:
  template:
    spec:
      hostNetwork: true
      serviceAccountName: kube-vip
      containers:
        - {name: kube-vip, image: ghcr.io/kube-vip/kube-vip:v1.2.3, args: [manager]}
```

## How to fix
Give it the service account kube-vip and the role that `kube-vip manifest rbac` prints.

## How to verify
`kubectl auth can-i update leases -n kube-system --as system:serviceaccount:kube-system:kube-vip` says yes.

## References
kube-vip/kube-vip#177, kube-vip/kube-vip#462; kube-vip.io/manifests/rbac.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator

from vipkeeper.config.tree import Mapping, Scalar, shown
from vipkeeper.lint.kinds import Kind
from vipkeeper.lint.parsers.kubernetes import KubeObject
from vipkeeper.lint.parsers.kubevip import KubeVip
from vipkeeper.lint.rule import Confidence, Finding, Reach, Related, Rule, Severity
from vipkeeper.lint.rules.kubevip.api import Way, way
from vipkeeper.lint.scope import Server

RULE = Rule("VK216", "kube-vip-rbac", Severity.ERROR, Reach.SERVER, (Kind.KUBEVIP_DAEMONSET,))
_NEEDED = frozenset(["get", "create", "update"])


def check(server: Server) -> Iterator[Finding]:
    """The role of each DaemonSet that asks the cluster's own API."""
    objects = server.all(KubeObject)
    for kubevip in server.all(KubeVip):
        pod = kubevip.pod
        if pod is None or not kubevip.is_daemonset or way(kubevip) is not Way.CLUSTER:
            continue
        account = pod.scalar("serviceAccountName") or pod.scalar("serviceAccount")
        if account is None:
            yield RULE.finding(
                pod.span,
                "kube-vip runs as the default service account, which may not write leases",
                help="add serviceAccountName: kube-vip, with its role",
                confidence=Confidence.LIKELY,
            )
            continue
        bound = {_text(o, "roleRef", "name") for o in objects if _binds(o, account.text)}
        roles = [o for o in objects if o.object_kind in ("ClusterRole", "Role") and o.name in bound]
        verbs = set[str]().union(*(_lease_verbs(role) for role in roles))
        if len(roles) == len(bound) > 0 and not verbs & {"*"} and not verbs >= _NEEDED:
            missing = ", ".join(sorted(_NEEDED - verbs))
            yield RULE.finding(
                roles[0].root.span,
                f"'{shown(account.text)}' may not {missing} leases: kube-vip gets none",
                help="allow get, list, watch, create and update of coordination.k8s.io leases",
                related=[Related(account.span, "kube-vip runs as this account")],
            )


def _binds(document: KubeObject, account: str) -> bool:
    subjects = document.root.items("subjects")
    names = (item.scalar("name") for item in subjects if isinstance(item, Mapping))
    return document.object_kind.endswith("RoleBinding") and any(
        name is not None and name.text == account for name in names
    )


def _lease_verbs(role: KubeObject) -> set[str]:
    found: set[str] = set()
    for rule in role.root.items("rules"):
        if not isinstance(rule, Mapping):
            continue
        groups, resources = _words(rule, "apiGroups"), _words(rule, "resources")
        if groups & {"coordination.k8s.io", "*"} and resources & {"leases", "*"}:
            found |= _words(rule, "verbs")
    return found


def _words(rule: Mapping, key: str) -> set[str]:
    return {item.text for item in rule.items(key) if isinstance(item, Scalar)}


def _text(document: KubeObject, *path: str) -> str:
    found = document.root.scalar(*path)
    return found.text if found is not None else ""
