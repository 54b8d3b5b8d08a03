"""this server is cut off from the etcd majority

## What it is
A server that reaches none of the others has no etcd leader and cannot write, while the others elect one and go on.
What it holds it can no longer serve: its API answers 500, and checks of TCP, TLS, 401 or `/ping` stay green.

## How to tell it apart
From the server itself it looks like lost quorum. The difference is seen elsewhere: another server has a leader, or
answers `/readyz` with 200. While it lasts two servers may claim to lead etcd, for about 2 s. Never reset this server:
it is whole again within seconds once the network is.

## References
kube-vip/kube-vip#996, #1385; etcd documentation, "Network partition".
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.datastore import datastore_not_etcd
from vipkeeper.diagnose.predicates.etcd import (
    no_leader,
    others_go_on,
    reaches_no_other,
    several_voters,
    two_voters,
)
from vipkeeper.diagnose.probes import ETCD_HEALTH, FROM_ELSEWHERE, REACHED_FROM_ELSEWHERE
from vipkeeper.diagnose.steps import LET_THE_VIP_GO

HYPOTHESIS = Hypothesis(
    code="VK802",
    name="cut-off-from-majority",
    layer=Layer.NETWORK,
    requires=(
        several_voters,
        no_leader,
        reaches_no_other,
        others_go_on,
    ),
    forbids=(
        two_voters,
        datastore_not_etcd,
    ),
    chain=(
        "the server reaches no other etcd member, so its etcd has no leader",
        "without a leader its API server answers 500",
        "a VIP that it keeps leads to an API that cannot serve, and one that it gave up is with the others, out of its reach",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.SERVER_ERROR,
        Symptom.REFUSED,
        Symptom.TWO_ANSWER,
        Symptom.MANAGER_RESTARTS,
        Symptom.NOT_STARTING,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "mend the network between this server and the others: link, VLAN, firewall on 2379 and 2380",
            "ip -brief link; ping -c 3 ADDRESS-OF-ANOTHER-SERVER",
        ),
        LET_THE_VIP_GO,
    ),
    verify=("curl -s http://127.0.0.1:2381/health",),
    probes=(
        FROM_ELSEWHERE,
        REACHED_FROM_ELSEWHERE,
        ETCD_HEALTH,
    ),
)
