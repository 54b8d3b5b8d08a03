"""etcd writes so slowly that Leases lapse

## What it is
A manager that holds the VIP by a Lease has to renew it within its deadline: 10 s by default, 3 s in the usual
manifests for RKE2 and k3s. When a write takes long, because of a slow or shared disk or a starved CPU, the deadline
passes, the manager gives the VIP up and takes it again. RKE2's etcd elects a leader in 5 to 8 s: longer than 3 s.

## How to tell it apart
The quorum is there. etcd's metrics show writes above 100 ms, its log says `took too long` or `slow fdatasync`, and
kube-vip restarts with `lost leadership`. It comes and goes; lost quorum stays.

## References
kube-vip/kube-vip#282, #453, #271, #346, #1099; etcd documentation, "Tuning".
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.datastore import etcd_slow
from vipkeeper.diagnose.predicates.etcd import no_leader
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.predicates.manager import LAPSED, manager_needs_no_lease
from vipkeeper.diagnose.probes import ETCD_METRICS, ON_EVERY_SERVER

lease_lapsed = logged(
    "lease_lapsed",
    "a Lease could not be renewed in time",
    *LAPSED,
)
etcd_says_slow = logged(
    "etcd_says_slow",
    "etcd says that it is slow",
    "etcd-slow-apply",
    "etcd-slow-fsync",
    "etcd-heartbeat-late",
)

HYPOTHESIS = Hypothesis(
    code="VK807",
    name="slow-etcd-loses-leases",
    layer=Layer.DATASTORE,
    requires=(
        etcd_slow,
        lease_lapsed,
    ),
    forbids=(
        manager_needs_no_lease,
        no_leader,
    ),
    supports=(etcd_says_slow,),
    chain=(
        "writes of etcd take longer than the deadline of the Lease",
        "the holder cannot renew its Lease in time and removes the VIP",
        "the VIP is on nobody until a Lease is written again",
        "an API server that waits for etcd longer than 2 s says that it is not ready",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.MANAGER_RESTARTS,
        Symptom.SERVER_ERROR,
    ),
    fixes=(
        Step(Risk.SAFE, "find what else writes to the disk of etcd, and move it", "iostat -x 2 5"),
        Step(
            Risk.DISRUPTIVE,
            "give kube-vip longer timers: vip_leaseduration 15, vip_renewdeadline 10, vip_retryperiod 2",
        ),
        Step(
            Risk.DISRUPTIVE,
            "put /var/lib/rancher/rke2/server/db on a disk of its own; one server after the other",
        ),
    ),
    verify=("curl -s http://127.0.0.1:2381/metrics | grep etcd_disk_wal_fsync_duration_seconds",),
    probes=(
        ETCD_METRICS,
        ON_EVERY_SERVER,
    ),
)
