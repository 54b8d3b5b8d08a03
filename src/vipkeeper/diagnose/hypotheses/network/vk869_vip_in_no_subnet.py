"""the VIP is in no subnet of the servers

## What it is
Hosts and routers ask for an address by ARP only where its subnet is. A VIP outside the servers' subnets is asked for on
another network, or not at all, however well the holder announces it.

## How to tell it apart
A VIP that is announced by BGP or in routing tables may lie anywhere; it is reached, or on a loopback interface. With several interfaces the VIP may
be on the wrong one; then some server has an interface in its subnet.

## References
kube-vip/kube-vip#903, #1173; RFC 826; rule VK612.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.network import vip_in_no_subnet, vip_is_reached, vip_is_routed
from vipkeeper.diagnose.probes import ADDRESSES

HYPOTHESIS = Hypothesis(
    code="VK869",
    name="vip-in-no-subnet",
    layer=Layer.NETWORK,
    requires=(vip_in_no_subnet,),
    forbids=(vip_is_reached, vip_is_routed),
    supports=(in_files("vip_out_of_reach", "the VIP shares no network with the servers", "VK612"),),
    chain=(
        "the VIP is in no subnet of the servers",
        "clients and the router ask for it on another network, or nowhere",
        "nobody answers",
    ),
    explains=NOBODY_HOLDS,
    fixes=(
        Step(Risk.SAFE, "choose a free VIP in the servers' subnet, outside every DHCP pool"),
        Step(
            Risk.DISRUPTIVE,
            "write it into the manager's settings, `tls-san` of every server and the clients' kubeconfigs, and restart the servers one after the other",
            "systemctl restart rke2-server",
        ),
    ),
    verify=("ip -br addr", "arping -c 3 VIP"),
    probes=(ADDRESSES,),
)
