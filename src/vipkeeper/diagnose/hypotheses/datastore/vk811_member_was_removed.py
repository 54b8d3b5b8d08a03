"""this server was removed from etcd and still has its data

## What it is
A server whose node was deleted, or that was removed as a member, finds that the others do not know it any more. Its
old data keeps it from joining as a new member: etcd ends with `permanently removed`, or a tombstone file is found.

## How to tell it apart
The others have a leader and do not list this server. A changed address says `is not a member ... expect` instead.

## References
k3s: pkg/etcd/etcd.go (tombstone); etcd documentation, "Runtime reconfiguration".
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.predicates.serving import api_of_removed_down
from vipkeeper.diagnose.probes import ON_EVERY_SERVER, READYZ
from vipkeeper.diagnose.steps import DATA_AWAY, JOINS_ANOTHER

was_removed = logged(
    "was_removed",
    "a server was removed from etcd",
    "etcd-member-removed",
    "etcd-tombstone",
)

HYPOTHESIS = Hypothesis(
    code="VK811",
    name="member-was-removed",
    layer=Layer.DATASTORE,
    requires=(
        was_removed,
        api_of_removed_down,
    ),
    chain=(
        "the others removed this server from etcd",
        "its etcd ends, so its API server does not run",
        "a VIP that leads to this server leads nowhere",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.REFUSED,
        Symptom.SERVER_ERROR,
        Symptom.NOT_STARTING,
        Symptom.MANAGER_RESTARTS,
    ),
    fixes=(
        Step(
            Risk.DESTRUCTIVE,
            "move the old data away and join anew",
            DATA_AWAY,
            only_if=f"the others have quorum, this server is to stay, and {JOINS_ANOTHER}",
        ),
        Step(
            Risk.SAFE,
            "if it is not to stay: leave it stopped",
            "systemctl disable --now rke2-server",
        ),
    ),
    verify=("curl -sk https://127.0.0.1:9345/db/info",),
    probes=(
        ON_EVERY_SERVER,
        READYZ,
    ),
)
