"""the server behind the VIP is an etcd learner that is not promoted

## What it is
A server that joins is a learner at first: it has no vote and does not serve reads. The leader promotes it within 15 s
once it has caught up, and removes it after five minutes without progress. A learner that stays one mostly cannot be
reached by the leader on port 2380. A VIP that leads to it leads to an API server that does not start.

## How to tell it apart
Its own `/health` is fine, and the cluster has a leader. The supervisor says `has not yet been promoted from learner
to voting member`, the leader says `stalled`. Moments after the join it is normal.

## References
rancher/rke2#700; k3s-io/k3s#2306, #9661; rancher/rke2-docs#231.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.datastore import (
    a_learner,
    learner_for_a_moment,
    vip_leads_to_learner,
)
from vipkeeper.diagnose.predicates.etcd import no_leader
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.probes import ADDRESSES, ETCD_METRICS, ON_EVERY_SERVER
from vipkeeper.diagnose.steps import LET_THE_VIP_GO

learner_says_so = logged(
    "learner_says_so", "a learner is not promoted", "learner-not-promoted", "learner-stalled"
)

HYPOTHESIS = Hypothesis(
    code="VK804",
    name="learner-not-promoted",
    layer=Layer.DATASTORE,
    requires=(
        a_learner,
        vip_leads_to_learner,
    ),
    forbids=(
        learner_for_a_moment,
        no_leader,
    ),
    supports=(learner_says_so,),
    chain=(
        "the learner cannot keep up with the leader, so it is not promoted",
        "a learner does not serve, so its API server does not become ready",
        "the VIP leads to this server, because port 9345 is open before etcd has joined",
    ),
    explains=(
        Symptom.SERVER_ERROR,
        Symptom.REFUSED,
        Symptom.NOT_STARTING,
        Symptom.NO_HELLO,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "open port 2380 both ways between this server and the leader, and set node-ip to the address the others reach",
            "nc -vz ADDRESS-OF-THE-LEARNER 2380",
        ),
        LET_THE_VIP_GO,
    ),
    verify=("curl -sk https://127.0.0.1:9345/db/info",),
    probes=(
        ETCD_METRICS,
        ON_EVERY_SERVER,
        ADDRESSES,
    ),
    caused_by=(
        "VK801",
        "VK803",
    ),
)
