"""a firewall rule on the holder drops the VIP

## What it is
A rule of nftables, iptables or firewalld on the server with the VIP drops what goes to it, or to port 6443 or 9345 of it.
kube-vip's own service security does that for ports that no Service names. ARP is answered all the same.

## How to tell it apart
The VIP answers ARP, and the port on the holder's own address is open. When the frames do not arrive at the holder at all
nobody answers ARP either, VK868. Rules of kube-proxy and the CNI send packets elsewhere rather than drop them, VK870.

## References
rancher/rke2#5651; harvester/harvester#8643; rke2 documentation, "Known issues" (firewalld).
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.network import holder_filters, holder_itself_is_heard
from vipkeeper.diagnose.probes import RULES

HYPOTHESIS = Hypothesis(
    code="VK867",
    name="vip-filtered",
    layer=Layer.NETWORK,
    requires=(holder_filters,),
    supports=(holder_itself_is_heard,),
    chain=(
        "the holder has the VIP and answers ARP for it",
        "a rule of its own firewall drops or rejects the connection",
        "clients wait until they give up",
    ),
    explains=(Symptom.TIMEOUT, Symptom.REFUSED, Symptom.NO_ROUTE, Symptom.REGISTRATION_CLOSED),
    fixes=(
        Step(Risk.SAFE, "find the rule and who made it", "nft -a list ruleset"),
        Step(
            Risk.DISRUPTIVE,
            "let 6443 and, on RKE2, 9345 pass to the VIP on every server",
            "firewall-cmd --permanent --add-port=6443/tcp --add-port=9345/tcp && firewall-cmd --reload",
            only_if="firewalld made the rule",
        ),
    ),
    verify=("curl -sk https://VIP:6443/ping", "curl -sk https://VIP:9345/ping"),
    probes=(RULES,),
)
