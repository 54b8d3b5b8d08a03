"""the kernel of the holder does not answer ARP for the VIP

## What it is
`arp_ignore` of 1 or more, or `arp_filter`, keeps the kernel from answering for an address that is on another interface than
the one that was asked, such as `lo`. kube-proxy's strict ARP sets `arp_ignore=1`.

## How to tell it apart
The VIP is on an interface, the link is up, and `tcpdump` on the holder sees requests and no answers. When no request
arrives at all, the network keeps them back, VK868.

## References
kube-vip/kube-vip#1114; kernel Documentation/networking/ip-sysctl.rst (arp_ignore, arp_filter); rule VK225.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.network import holder_ignores_arp, nobody_hears_it
from vipkeeper.diagnose.probes import ARP_SETTINGS, NEIGHBOURS

HYPOTHESIS = Hypothesis(
    code="VK873",
    name="arp-ignored",
    layer=Layer.NETWORK,
    requires=(holder_ignores_arp, nobody_hears_it),
    supports=(in_files("on_the_loopback", "kube-vip announces the VIP on the loopback", "VK225"),),
    chain=(
        "the VIP is on an interface that is not the one where it is asked for",
        "the kernel is told not to answer for such addresses",
        "nobody learns where the VIP is",
    ),
    explains=NOBODY_HOLDS,
    fixes=(
        Step(Risk.SAFE, "put the VIP on the interface of its subnet (kube-vip: vip_interface)"),
        Step(
            Risk.DISRUPTIVE,
            "or let the kernel answer again, for all and for the interface, and write it to /etc/sysctl.d",
            "sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.DEVICE.arp_ignore=0",
            only_if="kube-proxy does not run in IPVS mode, where every node would then answer for every Service's address",
        ),
    ),
    verify=("arping -c 3 VIP",),
    probes=(ARP_SETTINGS, NEIGHBOURS),
)
