"""the Lease names a holder that does not have the VIP

## What it is
Who holds the VIP by a Lease has to put it on an interface. When the Lease goes on naming somebody who does not run,
or that is no server of this cluster, the others wait for it in vain.

## How to tell it apart
The Lease names A, the manager on A does not run or A is no server, and no server has the VIP. If it runs and renews,
it is silent: another cause. A takeover by Lease takes up to 22 s, so look twice.

## References
kube-vip/kube-vip#663, #1597, #1603, #1747.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step
from vipkeeper.diagnose.predicates.manager import (
    lease_changes_hands,
    lease_holder_cannot_lead,
    lease_holder_has_no_vip,
    manager_needs_no_lease,
)
from vipkeeper.diagnose.predicates.vip import vip_nowhere
from vipkeeper.diagnose.probes import ADDRESSES, LEASE, LOOK_AGAIN, ON_EVERY_SERVER

HYPOTHESIS = Hypothesis(
    code="VK831",
    name="lease-stuck",
    layer=Layer.PROCESS,
    requires=(
        lease_holder_has_no_vip,
        lease_holder_cannot_lead,
        vip_nowhere,
    ),
    forbids=(
        lease_changes_hands,
        manager_needs_no_lease,
    ),
    chain=(
        "the Lease names a holder that does not run",
        "the others wait until it is given up",
        "nobody puts the VIP on an interface",
    ),
    explains=NOBODY_HOLDS,
    fixes=(
        Step(
            Risk.SAFE,
            "look at it: holderIdentity, renewTime, leaseDurationSeconds",
            "kubectl -n kube-system get lease plndr-cp-lock -o yaml",
        ),
        Step(
            Risk.DISRUPTIVE,
            "delete the Lease; the managers make it anew within seconds",
            "kubectl -n kube-system delete lease plndr-cp-lock",
        ),
    ),
    verify=("kubectl -n kube-system get lease plndr-cp-lock",),
    probes=(
        LEASE,
        ADDRESSES,
        LOOK_AGAIN,
        ON_EVERY_SERVER,
    ),
    caused_by=(
        "VK801",
        "VK803",
        "VK829",
    ),
)
