"""the manager has no right to its Lease

## What it is
kube-vip needs to get, list, create and update Leases in its namespace. Without the ServiceAccount, ClusterRole and
binding of its manifest, or with a kubeconfig of a user who may not, the API answers 403 and nobody becomes the
holder.

## How to tell it apart
`is forbidden: User ... cannot get resource "leases"` in its log. Since Kubernetes 1.29 kubeadm's `admin.conf` has no
rights until the cluster is set up. An API server that has just started refuses everybody for a moment; and where etcd has
no leader, or no API serves, that is the cause.

## References
kube-vip/kube-vip#177, #462, #684, #1138.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.api import api_serves_somewhere
from vipkeeper.diagnose.predicates.etcd import no_leader
from vipkeeper.diagnose.predicates.logs import logged_lately
from vipkeeper.diagnose.predicates.manager import well_elsewhere
from vipkeeper.diagnose.predicates.vip import vip_nowhere
from vipkeeper.diagnose.probes import ADDRESSES, ETCD_HEALTH, ON_EVERY_SERVER, READYZ

forbidden = logged_lately("forbidden", "the manager may not use its Lease", "lease-forbidden")

HYPOTHESIS = Hypothesis(
    code="VK832",
    name="lease-forbidden",
    layer=Layer.CONFIGURATION,
    requires=(
        forbidden,
        vip_nowhere,
        api_serves_somewhere,
    ),
    forbids=(
        no_leader,
        well_elsewhere("lease-forbidden"),
    ),
    chain=(
        "the API refuses the manager its Lease",
        "so nobody becomes the holder, and nobody has the VIP",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.MANAGER_RESTARTS,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "see which right is missing",
            "kubectl auth can-i update leases -n kube-system --as system:serviceaccount:kube-system:kube-vip",
        ),
        Step(
            Risk.SAFE,
            "apply its rights",
            "kubectl apply -f https://kube-vip.io/manifests/rbac.yaml",
        ),
    ),
    verify=("kubectl -n kube-system get lease plndr-cp-lock",),
    probes=(
        ON_EVERY_SERVER,
        ADDRESSES,
        READYZ,
        ETCD_HEALTH,
    ),
)
