"""servers that do not hear each other both have the VIP

## What it is
The network between the servers is in parts, or passes one way only. Each part has a server that takes the others for dead
and holds the VIP. A client reaches the holder on its own side; only the side with a majority of etcd can write.

## How to tell it apart
Both managers mean to hold the VIP (else one is left behind, VK863), and the holders do not answer each other (else only
the adverts are lost, VK864). Ask each holder for the other one's own address. An address that belongs to no server at all
is a foreign host, VK862. When one of them is cut off from etcd's majority as well, that is the cause, VK802.

## References
kube-vip/kube-vip#996, #1385; acassen/keepalived#2370; harvester/harvester#7293.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.holders import holders_deaf, several_claim_it, several_have_it
from vipkeeper.diagnose.predicates.network import stranger_answers
from vipkeeper.diagnose.probes import ADDRESSES, CLAIMS, OTHER_HOLDER

HYPOTHESIS = Hypothesis(
    code="VK861",
    name="two-holders",
    layer=Layer.NETWORK,
    requires=(several_have_it, several_claim_it, holders_deaf),
    forbids=(stranger_answers,),
    caused_by=("VK802",),
    chain=(
        "the servers do not hear each other",
        "each side takes the other for dead, and one server on each side takes the VIP",
        "two hosts answer for one address, and clients reach the one or the other",
    ),
    explains=(
        Symptom.TWO_ANSWER,
        Symptom.TIMEOUT,
        Symptom.REFUSED,
        Symptom.SERVER_ERROR,
        Symptom.NO_HELLO,
    ),
    fixes=(
        Step(
            Risk.SAFE, "mend the network between the servers; the managers then agree by themselves"
        ),
        Step(
            Risk.DISRUPTIVE,
            "take the VIP off the server without a majority of etcd",
            "ip addr del VIP/LENGTH dev DEVICE",
            only_if="the network cannot be mended soon, and its manager is stopped first",
        ),
    ),
    verify=("arping -c 3 VIP", "ip -br addr"),
    probes=(ADDRESSES, CLAIMS, OTHER_HOLDER),
)
