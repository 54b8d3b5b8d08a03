"""the disk with the datastore of the server behind the VIP is full

## What it is
etcd cannot write its log on a full disk and ends; so does SQLite. The server behind the VIP has no API server then,
and kubelet removes images and pods to gain room.

## How to tell it apart
`df` shows it, and so does `no space left on device` in the log. etcd's quota (NOSPACE) is another limit and is
reached with room on the disk. A full disk on a server that the VIP does not lead to is no cause.

## References
etcd documentation, "Hardware recommendations"; rancher/rancher#56031.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.datastore import disk_full, vip_leads_to_full_disk
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.predicates.serving import api_of_full_disk_down
from vipkeeper.diagnose.probes import ADDRESSES, DISK, READYZ

disk_full_said = logged("disk_full_said", "a log says that no space is left", "disk-full")

HYPOTHESIS = Hypothesis(
    code="VK806",
    name="disk-full",
    layer=Layer.DATASTORE,
    requires=(
        disk_full,
        vip_leads_to_full_disk,
        api_of_full_disk_down,
    ),
    supports=(disk_full_said,),
    chain=(
        "the disk is full, so etcd cannot write its log and ends",
        "without etcd the API server of this server cannot serve",
        "the VIP leads to this server",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.REFUSED,
        Symptom.SERVER_ERROR,
        Symptom.NOT_STARTING,
        Symptom.MANAGER_RESTARTS,
        Symptom.NO_HELLO,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "make room: logs, old images, old snapshots that are copied elsewhere",
            "journalctl --vacuum-size=200M; du -xh --max-depth=2 /var/lib/rancher | sort -h | tail",
        ),
        Step(
            Risk.DISRUPTIVE,
            "restart the server (k3s: the unit is k3s)",
            "systemctl restart rke2-server",
        ),
    ),
    verify=(
        "df -h /var/lib/rancher",
        "curl -s http://127.0.0.1:2381/health",
    ),
    probes=(
        DISK,
        ADDRESSES,
        READYZ,
    ),
)
