"""the holder has the VIP, and the network carries nothing of it

## What it is
The server answers under its own address and has the VIP, but no other host ever gets an ARP answer for it: the network
passes only addresses that it knows. OpenStack and Harvester call it port security, VMware and Hyper-V spoofing
protection; AWS, Azure and Google Cloud know no gratuitous ARP at all.

## How to tell it apart
Everything on the holder must be well: link up, ARP answered (VK873), address used (VK871), and nobody else has the VIP.
What is left is the network. `tcpdump -eni DEVICE arp` on the holder shows no request for the VIP from outside, or
answers that nobody gets.

## References
kube-vip/kube-vip#556; harvester/harvester#3426; zifeo/terraform-openstack-rke2#37; kubernetes/kops#15221.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step
from vipkeeper.diagnose.predicates.holders import one_has_it
from vipkeeper.diagnose.predicates.network import (
    dad_failed,
    holder_ignores_arp,
    holder_itself_is_heard,
    holder_link_down,
    nobody_hears_it,
    vip_in_no_subnet,
)
from vipkeeper.diagnose.probes import ADDRESSES, ARP_SETTINGS, NEIGHBOURS

HYPOTHESIS = Hypothesis(
    code="VK868",
    name="vip-unheard",
    layer=Layer.NETWORK,
    requires=(one_has_it, holder_itself_is_heard, nobody_hears_it),
    forbids=(holder_link_down, holder_ignores_arp, dad_failed, vip_in_no_subnet),
    chain=(
        "one server has the VIP and announces it",
        "the network drops ARP or packets of an address that it does not know",
        "no other host learns where the VIP is",
    ),
    explains=NOBODY_HOLDS,
    fixes=(
        Step(
            Risk.SAFE,
            "allow the VIP as a second address on the port of every server",
            "openstack port set --allowed-address ip-address=VIP PORT",
            only_if="the servers run in OpenStack",
        ),
        Step(
            Risk.SAFE,
            "use the cloud's own load balancer instead of a VIP",
            only_if="the servers run in a cloud without ARP (AWS, Azure, Google Cloud)",
        ),
    ),
    verify=("arping -c 3 VIP",),
    probes=(
        ADDRESSES,
        NEIGHBOURS,
        ARP_SETTINGS,
    ),
)
