"""etcd of the server behind the VIP does not run

## What it is
Each API server asks only the etcd of its own server. When that etcd does not run, its API server answers 500 and is
restarted, even while the other members have quorum. In RKE2 etcd is a container; in k3s it is part of the k3s
process.

## How to tell it apart
2381 refuses, the container is not there or ends again and again, while the supervisor runs. When the supervisor is
stopped or just started, that is the cause. A server with `disable-etcd` has none and misses none. The log of the container says why it ends: disk, address, removed member.

## References
rancher/rke2#1263, #1574, #812, #1992; kube-vip/kube-vip#246.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.datastore import (
    datastore_not_etcd,
    etcd_down,
    etcd_down_for_a_moment,
    etcd_is_elsewhere,
    vip_leads_to_dead_etcd,
)
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.predicates.supervisor import starting_behind_vip, stopped_behind_vip
from vipkeeper.diagnose.probes import (
    ADDRESSES,
    CONTAINERS,
    DATA_OF_ETCD,
    ETCD_HEALTH,
    LOOK_AGAIN,
    MEMBERS,
    SUPERVISOR,
)

etcd_refuses_said = logged(
    "etcd_refuses_said",
    "the supervisor cannot reach its etcd",
    "etcd-refused",
    "etcd-connection-test-failed",
    "etcd-bind-failed",
)

HYPOTHESIS = Hypothesis(
    code="VK808",
    name="etcd-not-running",
    layer=Layer.DATASTORE,
    requires=(
        etcd_down,
        vip_leads_to_dead_etcd,
    ),
    forbids=(
        stopped_behind_vip,
        starting_behind_vip,
        datastore_not_etcd,
        etcd_down_for_a_moment,
        etcd_is_elsewhere,
    ),
    supports=(etcd_refuses_said,),
    chain=(
        "etcd of this server does not run",
        "its API server has no datastore: it answers 500 and is restarted",
        "the VIP leads to this server",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.REFUSED,
        Symptom.SERVER_ERROR,
        Symptom.NOT_STARTING,
        Symptom.MANAGER_RESTARTS,
        Symptom.NO_HELLO,
    ),
    fixes=(
        Step(
            Risk.SAFE, "read why it ends", "tail -n 50 /var/log/pods/kube-system_etcd-*/etcd/*.log"
        ),
        Step(
            Risk.DISRUPTIVE,
            "restart the server (k3s: the unit is k3s)",
            "systemctl restart rke2-server",
        ),
    ),
    verify=("curl -s http://127.0.0.1:2381/health",),
    probes=(
        ETCD_HEALTH,
        CONTAINERS,
        SUPERVISOR,
        ADDRESSES,
        LOOK_AGAIN,
        MEMBERS,
        DATA_OF_ETCD,
    ),
    caused_by=(
        "VK806",
        "VK809",
        "VK811",
    ),
)
