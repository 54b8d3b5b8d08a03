"""a cluster of two servers lost one of them

## What it is
The quorum of two voters is two. A cluster of two servers stops when either of them does; it fails twice as often as
one server alone and survives nothing. Two servers are right only with an external datastore.

## How to tell it apart
The member list has two voters, and one is gone. It is not lost for good: the other server started again brings both
back within seconds. A cut between the two looks the same from each of them, so ask from a third place.

## References
k3s-io/k3s#3723; rancher/rke2#5327, #1140; kube-vip/kube-vip#748, #941.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.datastore import datastore_not_etcd
from vipkeeper.diagnose.predicates.etcd import (
    no_leader,
    others_answer_somebody_else,
    too_few_voters,
    two_voters,
)
from vipkeeper.diagnose.probes import ETCD_HEALTH, FROM_ELSEWHERE, REACHED_FROM_ELSEWHERE
from vipkeeper.diagnose.steps import CLUSTER_RESET, JOIN_ANEW

HYPOTHESIS = Hypothesis(
    code="VK803",
    name="one-of-two-lost",
    layer=Layer.DATASTORE,
    requires=(
        two_voters,
        no_leader,
        too_few_voters,
    ),
    forbids=(
        others_answer_somebody_else,
        datastore_not_etcd,
    ),
    chain=(
        "one of two etcd voters is gone, and the quorum of two is two",
        "without a leader the survivor's API answers 500 or ends",
        "a Lease cannot be renewed, so its holder gives the VIP up",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.REFUSED,
        Symptom.SERVER_ERROR,
        Symptom.NOT_STARTING,
        Symptom.MANAGER_RESTARTS,
    ),
    fixes=(
        Step(Risk.SAFE, "start the other server", "systemctl start rke2-server"),
        Step(
            Risk.DESTRUCTIVE,
            "make a cluster of one from the survivor, and start it again (k3s: k3s server --cluster-reset, unit k3s); "
            "take `server` out of its configuration first",
            CLUSTER_RESET,
            only_if="the other server is gone for good",
        ),
        JOIN_ANEW,
        Step(
            Risk.SAFE,
            "when it works again: add a third server, which may be a small one with etcd only",
        ),
    ),
    verify=("curl -s http://127.0.0.1:2381/health",),
    probes=(
        FROM_ELSEWHERE,
        REACHED_FROM_ELSEWHERE,
        ETCD_HEALTH,
    ),
)
