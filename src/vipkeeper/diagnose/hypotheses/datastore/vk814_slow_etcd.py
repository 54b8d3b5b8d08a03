"""etcd writes so slowly that API servers give up waiting

## What it is
A write counts once a majority has it on disk. On a slow or shared disk that takes seconds, requests wait behind each other, and API
servers answer late or `500`, also on `/readyz`, whose check of etcd has a limit of 2 s. A health check of keepalived or vipkeeper
then finds server after server unready.

## How to tell it apart
There is a leader all the while, by etcd's own metrics, and the members reach each other. More than one fsync in a hundred takes longer
than 100 ms, or the log says `slow fdatasync`. Where the VIP depends on a Lease, it is lost with the Lease: VK807.

## References
etcd documentation, "Tuning" and "Hardware"; kube-vip/kube-vip#282.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.datastore import etcd_fails_for_slowness, etcd_slow
from vipkeeper.diagnose.predicates.etcd import no_leader
from vipkeeper.diagnose.predicates.manager import lease_was_lost
from vipkeeper.diagnose.probes import ETCD_HEALTH, ETCD_METRICS

HYPOTHESIS = Hypothesis(
    code="VK814",
    name="slow-etcd",
    layer=Layer.DATASTORE,
    requires=(etcd_slow, etcd_fails_for_slowness),
    forbids=(no_leader, lease_was_lost),
    chain=(
        "each write of etcd waits for a slow disk, and the next one behind it",
        "API servers wait for etcd longer than their own limits",
        "requests through the VIP take seconds or fail, and health checks with them",
    ),
    explains=(Symptom.SERVER_ERROR, Symptom.TIMEOUT, Symptom.NO_HELLO),
    fixes=(
        Step(Risk.SAFE, "find what else writes to the disk of etcd, and move it", "iostat -x 2 5"),
        Step(
            Risk.DISRUPTIVE,
            "put /var/lib/rancher/rke2/server/db (k3s: /var/lib/rancher/k3s/server/db) on a disk of its own; one server after the other",
        ),
    ),
    verify=("curl -s http://127.0.0.1:2381/metrics | grep etcd_disk_wal_fsync_duration_seconds",),
    probes=(ETCD_METRICS, ETCD_HEALTH),
)
