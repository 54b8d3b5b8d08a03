"""the interface that the manager was told does not exist on this server

## What it is
`vip_interface` of kube-vip and `interface` of keepalived name one interface for all servers. A DaemonSet has one name
for all, and cards are named eth0 here and ens18 there.

## How to tell it apart
`could not get link for interface` or `Link not found` in the log of the manager, and no server has the VIP. A
manager of another server that does not say so could hold it: then something else is the cause. An
interface that is there and down says something else.

## References
kube-vip/kube-vip#559, #399, #273.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.logs import logged_lately
from vipkeeper.diagnose.predicates.manager import well_elsewhere
from vipkeeper.diagnose.predicates.vip import vip_nowhere
from vipkeeper.diagnose.probes import ADDRESSES, ON_EVERY_SERVER

no_such_interface = logged_lately(
    "no_such_interface", "the manager's interface is not there", "interface-missing"
)

HYPOTHESIS = Hypothesis(
    code="VK834",
    name="manager-wrong-interface",
    layer=Layer.CONFIGURATION,
    requires=(
        no_such_interface,
        vip_nowhere,
    ),
    forbids=(well_elsewhere("interface-missing"),),
    chain=(
        "the manager is told an interface that is not there",
        "it cannot put the VIP on it and ends",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.MANAGER_RESTARTS,
    ),
    fixes=(
        Step(Risk.SAFE, "see the names on every server", "ip -brief link"),
        Step(
            Risk.DISRUPTIVE,
            "leave vip_interface empty, so that kube-vip takes the one with the default route, or name the right one",
        ),
    ),
    verify=("ip -brief address",),
    probes=(
        ON_EVERY_SERVER,
        ADDRESSES,
    ),
)
