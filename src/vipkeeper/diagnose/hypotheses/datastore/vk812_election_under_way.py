"""etcd is electing a leader; it passes within seconds

## What it is
When the leader of etcd ends, the others elect a new one: 4 to 8 s with RKE2's timers, 11 s at most seen. Meanwhile
healthy servers answer 500 on `/readyz` and `/livez`, and a manager with a 3 s deadline may drop the VIP.

## How to tell it apart
Enough voters are there. A second look 15 s later finds a leader; if it does not, it is something else. Do not restart
anything in the meantime: that begins another election.

## References
rancher/rke2#320; kube-vip/kube-vip#1112, #318.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.etcd import (
    enough_voters_there,
    leaderless_at_a_time,
    leaderless_for_long,
    reaches_no_other,
    several_voters,
)
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.probes import ETCD_HEALTH, FROM_ELSEWHERE, LOOK_AGAIN

leader_changed = logged(
    "leader_changed", "etcd changed its leader", "etcd-leader-changed", "etcd-lost-leader"
)

HYPOTHESIS = Hypothesis(
    code="VK812",
    name="election-under-way",
    layer=Layer.DATASTORE,
    requires=(
        several_voters,
        leaderless_at_a_time,
        enough_voters_there,
    ),
    forbids=(
        leaderless_for_long,
        reaches_no_other,
    ),
    supports=(leader_changed,),
    chain=(
        "the leader of etcd went away",
        "until another is elected every write fails, and the API servers answer 500",
    ),
    explains=(
        Symptom.SERVER_ERROR,
        Symptom.TIMEOUT,
        Symptom.MANAGER_RESTARTS,
        Symptom.NO_ANSWER,
        Symptom.NO_ROUTE,
    ),
    fixes=(Step(Risk.SAFE, "wait 15 s and look again", "sleep 15; vipkeeper why"),),
    verify=("curl -s http://127.0.0.1:2381/health",),
    probes=(
        LOOK_AGAIN,
        ETCD_HEALTH,
        FROM_ELSEWHERE,
    ),
)
