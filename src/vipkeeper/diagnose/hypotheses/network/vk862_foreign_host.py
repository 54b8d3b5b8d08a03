"""a host that is no server of this cluster has the VIP

## What it is
Somebody else uses the address: a machine with a fixed address, a DHCP pool that holds the VIP, a server of another
cluster, or one of this cluster that was taken out and not cleaned. Clients reach it, or the real holder, by chance.

## How to tell it apart
The link-layer address that answers belongs to no server. It must be asked in the VIP's own subnet: through a router only
the router's address is seen. An address 00:00:5e:00:01:xx is a virtual router's (keepalived with use_vmac) and says
nothing. In networks that answer ARP for their machines (OVN, EVPN) the answering address is the network's own.

## References
rancher/rke2#3214; kubesphere/kubekey#2645; kubeovn/kube-ovn#7489; RFC 5227.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.network import dad_failed, stranger_answers
from vipkeeper.diagnose.predicates.tls import other_authority
from vipkeeper.diagnose.probes import ADDRESSES, NEIGHBOURS

HYPOTHESIS = Hypothesis(
    code="VK862",
    name="foreign-host",
    layer=Layer.NETWORK,
    requires=(stranger_answers,),
    supports=(other_authority, dad_failed),
    chain=(
        "a host outside the cluster has the VIP on an interface",
        "it answers ARP for the VIP beside or instead of the holder",
        "connections end at a host that serves nothing, or another cluster",
    ),
    explains=(
        Symptom.TWO_ANSWER,
        Symptom.CERTIFICATE,
        Symptom.REFUSED,
        Symptom.TIMEOUT,
        Symptom.NO_HELLO,
        Symptom.REGISTRATION_CLOSED,
        Symptom.NOT_STARTING,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "find the host by its link-layer address in the switch's table or the DHCP leases",
            "arping -c 3 VIP",
        ),
        Step(Risk.SAFE, "take the address off that host, and the VIP out of every DHCP pool"),
        Step(Risk.SAFE, "announce the VIP again from the holder", "arping -U -c 3 -I DEVICE VIP"),
    ),
    verify=("arping -c 3 VIP",),
    probes=(NEIGHBOURS, ADDRESSES),
)
