"""etcd is at the limit of its database and takes no writes

## What it is
etcd raises the NOSPACE alarm when its database reaches the quota, 2 GiB by default. From then on it answers reads and
refuses writes on every member, until it is compacted, defragmented and the alarm is taken back. A Lease is a write.

## How to tell it apart
There is a leader, and reads work: `kubectl get` answers while `kubectl apply` says `mvcc: database space exceeded`. A
full disk is another cause: there etcd ends. RKE2 and k3s defragment and take the alarm back when they start.

## References
etcd documentation, "Space quota"; k3s: pkg/etcd/etcd.go, clearAlarms.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.datastore import out_of_space
from vipkeeper.diagnose.predicates.etcd import no_leader
from vipkeeper.diagnose.probes import ETCD_HEALTH

HYPOTHESIS = Hypothesis(
    code="VK805",
    name="etcd-out-of-space",
    layer=Layer.DATASTORE,
    requires=(out_of_space,),
    forbids=(no_leader,),
    chain=(
        "etcd has reached its quota and refuses every write",
        "a Lease cannot be renewed, so its holder gives the VIP up",
        "nodes cannot report, and controllers lose their Leases and end",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.SERVER_ERROR,
        Symptom.MANAGER_RESTARTS,
    ),
    fixes=(
        Step(
            Risk.DISRUPTIVE,
            "restart the servers one after the other; each defragments and takes the alarm back (k3s: the unit is k3s)",
            "systemctl restart rke2-server",
        ),
        Step(
            Risk.SAFE,
            "find what fills it, mostly events or the objects of one operator",
            "kubectl get --raw /metrics | grep apiserver_storage_objects",
        ),
        Step(
            Risk.DISRUPTIVE,
            "raise the quota on every server: etcd-arg: [quota-backend-bytes=8589934592]",
        ),
    ),
    verify=("curl -s http://127.0.0.1:2381/health",),
    probes=(ETCD_HEALTH,),
)
