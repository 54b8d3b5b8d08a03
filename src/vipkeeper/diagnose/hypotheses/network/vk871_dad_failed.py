"""IPv6 found the VIP on another host

## What it is
Before an IPv6 address is used the kernel asks whether somebody has it. When the former holder or a foreign host answers,
the address is marked `dadfailed` and never used, until somebody takes it off and puts it on again.

## How to tell it apart
The mark is there though the other host may be gone since. When another server has the VIP and uses it, the mark does no
harm. When a foreign host has it, that is the cause, VK862.

## References
kube-vip/kube-vip#523, #524; RFC 4862 section 5.4.5.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step
from vipkeeper.diagnose.predicates.network import another_server_uses_it, dad_failed
from vipkeeper.diagnose.probes import ADDRESSES

HYPOTHESIS = Hypothesis(
    code="VK871",
    name="dad-failed",
    layer=Layer.NETWORK,
    requires=(dad_failed,),
    forbids=(another_server_uses_it,),
    caused_by=("VK862", "VK863"),
    chain=(
        "as the server took the VIP, another host still answered for it",
        "the kernel marked the address dadfailed and does not use it",
        "nobody answers neighbour solicitations for the VIP",
    ),
    explains=NOBODY_HOLDS,
    fixes=(
        Step(Risk.SAFE, "see that nobody else answers", "ndisc6 -n VIP DEVICE"),
        Step(
            Risk.SAFE,
            "take the address off; its manager puts it on again",
            "ip addr del VIP/LENGTH dev DEVICE",
            only_if="nobody else answers for it",
        ),
    ),
    verify=("ip -6 addr show dadfailed",),
    probes=(ADDRESSES,),
)
