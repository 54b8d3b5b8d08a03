"""the place that asks has no route to the VIP

## What it is
The routes of the client lead to the servers' own addresses, or to some of them, and not to the VIP: its netmask is too small, the
default route is missing, or the VIP is in another subnet that no route of the client covers. The kernel refuses before a packet is
sent: `Network is unreachable`.

## How to tell it apart
`ip route get VIP` fails on the client. Other places reach the VIP. Where nobody has the VIP, packets are sent and nobody answers
ARP: `No route to host`, a second or three later.

## References
ip-route(8); connect(2), ENETUNREACH.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import (
    Hypothesis,
    Layer,
    Probe,
    Risk,
    Step,
    Symptom,
)
from vipkeeper.diagnose.predicates.network import no_route_to_vip, vip_port_open
from vipkeeper.diagnose.vocabulary import Key

HYPOTHESIS = Hypothesis(
    code="VK876",
    name="no-route-to-vip",
    layer=Layer.NETWORK,
    requires=(no_route_to_vip,),
    supports=(vip_port_open,),
    chain=(
        "no route of the place that asks covers the VIP",
        "its kernel refuses every connection before anything is sent",
    ),
    explains=(Symptom.NO_ROUTE,),
    fixes=(
        Step(
            Risk.SAFE,
            "give the client the netmask of its subnet, or a route to the VIP",
            "ip route add VIP/32 via GATEWAY",
        ),
    ),
    verify=("ip route get VIP",),
    probes=(Probe("ip route get VIP", "the place that asks", frozenset({Key.VIP_ROUTE}), cost=1),),
    caused_by=("VK869", "VK874"),
)
