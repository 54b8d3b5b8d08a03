"""etcd has lost its quorum

## What it is
More than half of etcd's voters must answer before anything can be written. With three servers two must be there;
with two servers both. Below that the API servers answer 500 or nothing at all, and whoever holds the VIP by a Lease
cannot renew it. One server that was built as the only one has a quorum of one and is no case of this; two servers
that lost one have a page of their own.

## How to tell it apart
A server that is cut off from two healthy ones sees the same as one whose neighbours have died. Only a second place
can tell: ask the other servers from a worker or a client. An election looks the same for 4 to 7 seconds, so look
twice. `/livez` fails too: it is no sign of a broken API server. Metrics of etcd go on claiming a leader for seconds.

## References
rancher/rke2#2753, #5327, #6182; etcd documentation, "Failure modes".
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.datastore import datastore_not_etcd
from vipkeeper.diagnose.predicates.etcd import (
    no_leader,
    others_answer_somebody_else,
    several_voters,
    too_few_voters,
    two_voters,
)
from vipkeeper.diagnose.probes import ETCD_HEALTH, FROM_ELSEWHERE, REACHED_FROM_ELSEWHERE
from vipkeeper.diagnose.steps import CLUSTER_RESET, JOIN_ANEW

HYPOTHESIS = Hypothesis(
    code="VK801",
    name="etcd-quorum-lost",
    layer=Layer.DATASTORE,
    requires=(several_voters, no_leader, too_few_voters),
    forbids=(others_answer_somebody_else, two_voters, datastore_not_etcd),
    chain=(
        "too few etcd voters are there, so etcd has no leader",
        "without a leader every write fails, and the API servers answer 500",
        "a Lease cannot be renewed, so its holder gives the VIP up",
    ),
    explains=(
        Symptom.NO_ANSWER,
        Symptom.NO_ROUTE,
        Symptom.REFUSED,
        Symptom.TIMEOUT,
        Symptom.SERVER_ERROR,
        Symptom.NOT_STARTING,
        Symptom.MANAGER_RESTARTS,
    ),
    fixes=(
        Step(Risk.SAFE, "start one more of the missing servers", "systemctl start rke2-server"),
        Step(
            Risk.DESTRUCTIVE,
            "make a cluster of one from the server that is left, and start it again (k3s: k3s server --cluster-reset, "
            "unit k3s); take `server` out of its configuration first",
            CLUSTER_RESET,
            only_if="the missing servers are gone for good",
        ),
        JOIN_ANEW,
    ),
    verify=("curl -s http://127.0.0.1:2381/health",),
    probes=(ETCD_HEALTH, FROM_ELSEWHERE, REACHED_FROM_ELSEWHERE),
    caused_by=("VK810",),
)
