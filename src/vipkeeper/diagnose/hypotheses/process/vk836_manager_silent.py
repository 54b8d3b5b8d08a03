"""the manager runs and leads, and has not put the VIP on an interface

## What it is
The process is there and renews its Lease, or says that it holds the VIP, and the address is on no interface. Nobody
else takes over, because it leads. kube-vip with `health_check_port` does that after it lost its Lease once.

## How to tell it apart
It leads by its own word or by a fresh Lease, and the server has no VIP. If the manager does not run, the Lease is
stuck. During a takeover it leads for some seconds before it has the VIP: look twice. If something took the address off later, the log of the network manager says so.

## References
kube-vip/kube-vip#1747; bunny-lab-io/Borealis#463; kube-vip/kube-vip#173.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step
from vipkeeper.diagnose.predicates.manager import (
    a_manager_leads,
    leader_has_no_vip,
    leads_for_a_moment,
)
from vipkeeper.diagnose.predicates.vip import vip_nowhere
from vipkeeper.diagnose.probes import ADDRESSES, LEASE, LOOK_AGAIN, ON_EVERY_SERVER

HYPOTHESIS = Hypothesis(
    code="VK836",
    name="manager-silent",
    layer=Layer.PROCESS,
    requires=(
        a_manager_leads,
        leader_has_no_vip,
        vip_nowhere,
    ),
    forbids=(leads_for_a_moment,),
    caused_by=("VK875",),
    chain=(
        "the manager leads, so nobody else takes over",
        "it has not put the VIP on its interface",
        "no interface has the VIP",
    ),
    explains=NOBODY_HOLDS,
    fixes=(
        Step(
            Risk.DISRUPTIVE,
            "end it, so that it or another begins anew (keepalived: systemctl restart keepalived)",
            "kubectl -n kube-system delete pod -l app.kubernetes.io/name=kube-vip-ds",
        ),
        Step(Risk.SAFE, "kube-vip: leave health_check_port out"),
    ),
    verify=("ip -brief address",),
    probes=(
        ON_EVERY_SERVER,
        LEASE,
        ADDRESSES,
        LOOK_AGAIN,
    ),
)
