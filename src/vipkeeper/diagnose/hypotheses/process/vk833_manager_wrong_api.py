"""the manager asks the API under an address that cannot work

## What it is
kube-vip needs the API to get its Lease. When its kubeconfig names the VIP it waits for itself; when it uses the
Service address, it needs kube-proxy or Cilium, which may need the VIP; when it uses the name `kubernetes`, the
hostAliases.

## How to tell it apart
Its log says which address, while the API answers on the servers themselves. When it does not, or
etcd has no leader, that is the cause: API servers that end and start again refuse a manager in between.

## References
dell/omnia#4992; kube-vip/kube-vip#721, #692, #907; lablabs/ansible-role-rke2#157, #209.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.api import api_serves_somewhere
from vipkeeper.diagnose.predicates.etcd import no_leader
from vipkeeper.diagnose.predicates.logs import logged_lately
from vipkeeper.diagnose.predicates.manager import well_elsewhere
from vipkeeper.diagnose.predicates.vip import vip_nowhere
from vipkeeper.diagnose.probes import ADDRESSES, ETCD_HEALTH, ON_EVERY_SERVER, READYZ

UNREACHED = (
    "lease-service-ip-timeout",
    "lease-api-refused",
    "lease-api-no-route",
    "kubernetes-name-unresolved",
)
wrong_address = logged_lately("wrong_address", "the manager does not reach the API", *UNREACHED)

HYPOTHESIS = Hypothesis(
    code="VK833",
    name="manager-wrong-api",
    layer=Layer.CONFIGURATION,
    requires=(
        wrong_address,
        vip_nowhere,
        api_serves_somewhere,
    ),
    forbids=(
        no_leader,
        well_elsewhere(*UNREACHED),
    ),
    chain=(
        "the manager asks the API under an address that nobody serves",
        "so it never gets its Lease, and nobody has the VIP",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.MANAGER_RESTARTS,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "let it ask its own server: env kubernetes_addr=https://127.0.0.1:6443, with /etc/rancher/rke2/rke2.yaml mounted as its kubeconfig",
        ),
        Step(Risk.SAFE, "Cilium without kube-proxy: k8sServiceHost localhost, not the VIP"),
    ),
    verify=("kubectl -n kube-system get lease plndr-cp-lock",),
    probes=(
        ON_EVERY_SERVER,
        ADDRESSES,
        READYZ,
        ETCD_HEALTH,
    ),
)
