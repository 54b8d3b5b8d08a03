"""the API server behind the VIP is restarted again and again

## What it is
The container of the API server ends, or kubelet kills it because `/livez` fails. Between two starts 6443 refuses.
With etcd well the reason is the API server's own: a wrong argument, a certificate, memory.

## How to tell it apart
When etcd has no leader, does not run or is slow, the restarts follow from that: `/livez` includes etcd, and kubelet
kills the API server some 80 s after the quorum is lost. Look at etcd first, then at the log of the container.

## References
k8s.io/apiserver: pkg/server/options/etcd.go; rancher/rancher#56031.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.api import api_restarts, vip_leads_to_restarting_api
from vipkeeper.diagnose.predicates.datastore import datastore_ill_behind_vip
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.predicates.supervisor import stopped_behind_vip
from vipkeeper.diagnose.probes import ADDRESSES, CONTAINERS, ETCD_HEALTH, READYZ

killed_by_probe = logged(
    "killed_by_probe",
    "the API server was killed",
    "api-killed-by-probe",
    "api-livez-failed",
    "out-of-memory",
)

HYPOTHESIS = Hypothesis(
    code="VK824",
    name="api-server-restarts",
    layer=Layer.PROCESS,
    requires=(
        api_restarts,
        vip_leads_to_restarting_api,
    ),
    forbids=(
        datastore_ill_behind_vip,
        stopped_behind_vip,
    ),
    supports=(killed_by_probe,),
    chain=(
        "the API server ends soon after each start",
        "between two starts nothing listens on 6443",
        "a Lease that it serves cannot be renewed meanwhile",
    ),
    explains=(
        Symptom.REFUSED,
        Symptom.SERVER_ERROR,
        Symptom.MANAGER_RESTARTS,
        Symptom.NO_ANSWER,
        Symptom.NO_ROUTE,
        Symptom.TIMEOUT,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "read why it ended",
            "tail -n 50 /var/log/pods/kube-system_kube-apiserver-*/kube-apiserver/*.log; dmesg | grep -i oom",
        ),
        Step(
            Risk.DISRUPTIVE,
            "take the last change of kube-apiserver-arg back and restart",
            "systemctl restart rke2-server",
        ),
    ),
    verify=("kubectl get --raw /livez",),
    probes=(
        CONTAINERS,
        ETCD_HEALTH,
        ADDRESSES,
        READYZ,
    ),
    caused_by=(
        "VK801",
        "VK803",
        "VK806",
        "VK807",
        "VK808",
        "VK813",
    ),
)
