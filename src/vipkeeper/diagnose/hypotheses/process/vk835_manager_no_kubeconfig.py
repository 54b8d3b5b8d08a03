"""the kubeconfig of the manager is not mounted or not readable

## What it is
The manifest that kube-vip generates mounts `/etc/kubernetes/admin.conf`, which RKE2 and k3s do not have. Without a
kubeconfig, and as a static pod without a ServiceAccount, it has no way to the API.

## How to tell it apart
`could not create k8s clientset from external file` or `unable to load in-cluster configuration` in its log.

## References
kube-vip/kube-vip#721, #371; lablabs/ansible-role-rke2#209.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.logs import logged_lately
from vipkeeper.diagnose.predicates.manager import well_elsewhere
from vipkeeper.diagnose.predicates.vip import vip_nowhere
from vipkeeper.diagnose.probes import ADDRESSES, ON_EVERY_SERVER

no_kubeconfig = logged_lately(
    "no_kubeconfig",
    "the manager has no usable kubeconfig",
    "kubeconfig-missing",
    "in-cluster-config-missing",
)

HYPOTHESIS = Hypothesis(
    code="VK835",
    name="manager-no-kubeconfig",
    layer=Layer.CONFIGURATION,
    requires=(
        no_kubeconfig,
        vip_nowhere,
    ),
    forbids=(well_elsewhere("kubeconfig-missing", "in-cluster-config-missing"),),
    chain=(
        "the manager has no kubeconfig",
        "so it never gets its Lease, and nobody has the VIP",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.MANAGER_RESTARTS,
    ),
    fixes=(
        Step(
            Risk.DISRUPTIVE,
            "mount /etc/rancher/rke2/rke2.yaml (k3s: /etc/rancher/k3s/k3s.yaml) as /etc/kubernetes/admin.conf, hostPath with type File, and hostAliases 127.0.0.1 kubernetes",
        ),
    ),
    verify=("kubectl -n kube-system get lease plndr-cp-lock",),
    probes=(
        ON_EVERY_SERVER,
        ADDRESSES,
    ),
)
