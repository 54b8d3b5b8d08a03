"""servers of one cluster belong to two etcd clusters since a reset

## What it is
A cluster reset makes a new etcd cluster of one member. A peer that is started with its old data belongs to the old
cluster: two of three such peers even have quorum and go on writing. Both halves answer, each with its own truth, and
the VIP decides which one a client sees.

## How to tell it apart
etcd says `request cluster ID mismatch`, and the member lists differ from server to server. After a reset the old data
of every peer must be moved away before it is started again; then the message ends within minutes.

## References
rancher/rke2#2857; etcd-io/etcd#3710.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.logs import logged, logged_lately
from vipkeeper.diagnose.probes import MEMBERS, ON_EVERY_SERVER
from vipkeeper.diagnose.steps import DATA_AWAY, JOINS_ANOTHER

ids_differ = logged_lately(
    "ids_differ",
    "members of two etcd clusters talk to each other",
    "etcd-cluster-id-mismatch",
)
reset_done = logged("reset_done", "a cluster reset was done", "reset-done", "reset-already-done")

HYPOTHESIS = Hypothesis(
    code="VK810",
    name="two-clusters-after-reset",
    layer=Layer.DATASTORE,
    requires=(ids_differ,),
    supports=(reset_done,),
    chain=(
        "a peer was started with its data of before the reset",
        "it talks to members of another etcd cluster, which refuse it",
        "the VIP leads to one cluster or to the other, and a peer without a majority answers 500",
    ),
    explains=(
        Symptom.SERVER_ERROR,
        Symptom.NOT_STARTING,
        Symptom.MANAGER_RESTARTS,
        Symptom.REFUSED,
    ),
    fixes=(
        Step(Risk.DISRUPTIVE, "stop every server that was not reset", "systemctl stop rke2-server"),
        Step(
            Risk.DESTRUCTIVE,
            "on those: move the old data away and join anew (k3s: /var/lib/rancher/k3s/server/db)",
            DATA_AWAY,
            only_if=f"it is certain which server has the data to keep, and {JOINS_ANOTHER}",
        ),
    ),
    verify=("curl -sk https://127.0.0.1:9345/db/info",),
    probes=(
        ON_EVERY_SERVER,
        MEMBERS,
    ),
)
