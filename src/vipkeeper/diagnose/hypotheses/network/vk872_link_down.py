"""the interface with the VIP is down

## What it is
The server that has the VIP has it on an interface without carrier, or one that was set down. A manager that renews its
Lease over another interface does not notice.

## How to tell it apart
Everything on this interface is away, the server's own address on it too. When another server has the VIP on an interface
that is up, the address here does no harm.

## References
kube-vip/kube-vip#972, #1600, #385; rule VK232.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step
from vipkeeper.diagnose.predicates.network import another_server_is_linked, holder_link_down
from vipkeeper.diagnose.probes import ADDRESSES

HYPOTHESIS = Hypothesis(
    code="VK872",
    name="link-down",
    layer=Layer.NETWORK,
    requires=(holder_link_down,),
    forbids=(another_server_is_linked,),
    chain=(
        "the interface with the VIP lost its carrier or was set down",
        "the manager did not notice, or no other server could take over",
        "nobody answers ARP for the VIP",
    ),
    explains=NOBODY_HOLDS,
    fixes=(
        Step(
            Risk.SAFE,
            "set the interface up, and look at cable, switch port or virtual network",
            "ip link set DEVICE up",
        ),
        Step(
            Risk.DISRUPTIVE,
            "move the VIP to another server",
            "systemctl stop keepalived",
            only_if="keepalived holds it and the link cannot be mended soon",
        ),
    ),
    verify=("ip -br link", "arping -c 3 VIP"),
    probes=(ADDRESSES,),
)
