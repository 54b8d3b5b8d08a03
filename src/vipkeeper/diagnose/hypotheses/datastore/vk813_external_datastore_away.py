"""the external datastore does not answer

## What it is
With `datastore-endpoint` the state of the cluster is in PostgreSQL, MySQL or an etcd elsewhere. When that is away no
API server serves, however many there are; k3s ends and starts again until it answers.

## How to tell it apart
The `etcd` check of `/readyz` fails although no etcd runs here, on every server at once. Ask the database itself, from
a server: the fault may be the way to it.

## References
rke2-docs: datastore/external; k3s: pkg/cluster/managed.go, kine.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.datastore import datastore_external, datastore_fails
from vipkeeper.diagnose.probes import ON_EVERY_SERVER, READYZ

HYPOTHESIS = Hypothesis(
    code="VK813",
    name="external-datastore-away",
    layer=Layer.DATASTORE,
    requires=(
        datastore_external,
        datastore_fails,
    ),
    chain=(
        "the external datastore does not answer",
        "no API server can read or write, so each answers 500 or does not start",
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
        Step(Risk.SAFE, "ask the database from a server", "nc -vz DATABASE-HOST 5432"),
        Step(
            Risk.SAFE, "bring the database or the way to it back; the servers recover by themselves"
        ),
    ),
    verify=("kubectl get --raw /readyz",),
    probes=(
        READYZ,
        ON_EVERY_SERVER,
    ),
)
