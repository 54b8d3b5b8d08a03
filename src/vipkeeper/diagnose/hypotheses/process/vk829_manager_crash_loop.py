"""what should hold the VIP ends at once, again and again

## What it is
kube-vip ends on a wrong setting, a missing right or a lost Lease and is started again; keepalived ends on a wrong
configuration. While it does so on every server, nobody holds the VIP.

## How to tell it apart
When the API is down or etcd has no leader, kube-vip restarts because it cannot have its Lease: that is no fault of
kube-vip. Its log says which: interface, kubeconfig, right, address of the API.

## References
kube-vip/kube-vip#415, #1242, #1266, #559.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.api import api_serves_somewhere
from vipkeeper.diagnose.predicates.etcd import no_leader
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.predicates.manager import (
    LAPSED,
    manager_restarts,
    manager_runs_somewhere,
)
from vipkeeper.diagnose.predicates.vip import vip_nowhere
from vipkeeper.diagnose.probes import ADDRESSES, ETCD_HEALTH, ON_EVERY_SERVER, READYZ

loses_its_lease = logged(
    "loses_its_lease",
    "the manager could not renew its Lease",
    *LAPSED,
)

HYPOTHESIS = Hypothesis(
    code="VK829",
    name="manager-crash-loop",
    layer=Layer.PROCESS,
    requires=(
        manager_restarts,
        vip_nowhere,
        api_serves_somewhere,
    ),
    forbids=(
        manager_runs_somewhere,
        no_leader,
        loses_its_lease,
    ),
    chain=(
        "what should hold the VIP ends soon after each start",
        "so no interface has the VIP",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.MANAGER_RESTARTS,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "read why it ends (keepalived: journalctl -u keepalived)",
            "tail -n 30 /var/log/pods/kube-system_kube-vip-*/kube-vip/*.log",
        ),
        Step(Risk.SAFE, "check its configuration", "vipkeeper lint FILE"),
    ),
    verify=("ip -brief address",),
    probes=(
        ON_EVERY_SERVER,
        ADDRESSES,
        ETCD_HEALTH,
        READYZ,
    ),
    caused_by=(
        "VK801",
        "VK803",
        "VK805",
        "VK807",
        "VK813",
        "VK821",
        "VK832",
        "VK833",
        "VK834",
        "VK835",
    ),
)
