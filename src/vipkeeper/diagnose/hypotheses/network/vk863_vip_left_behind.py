"""a server that no longer holds the VIP still has it

## What it is
One server holds the VIP; another one kept it as its manager was killed, lost its Lease, or was told not to clean up.
`rke2-killall.sh` ends kube-vip and leaves the address. Both answer, and a client may stay with the wrong one.

## How to tell it apart
The manager of one of the two is dead or says that it holds nothing. When both mean to hold it, the servers do not hear
each other (VK861) or not each other's adverts (VK864). When nobody else has the VIP, see VK827.

## References
kube-vip/kube-vip#996, #1385, #1413; harvester/harvester#7293; rule VK224.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.holders import (
    one_claims_it,
    one_only_has_it,
    several_claim_it,
    several_have_it,
)
from vipkeeper.diagnose.probes import ADDRESSES, CLAIMS

HYPOTHESIS = Hypothesis(
    code="VK863",
    name="vip-left-behind",
    layer=Layer.NETWORK,
    requires=(several_have_it, one_only_has_it),
    forbids=(several_claim_it,),
    caused_by=("VK827",),
    supports=(
        one_claims_it,
        in_files("kept_on_purpose", "kube-vip is told to keep the VIP", "VK224"),
    ),
    chain=(
        "a manager ended, or lost the VIP, and did not take the address off",
        "another server took the VIP",
        "two hosts answer for one address",
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
            Risk.SAFE,
            "on the server that only has it, take it off",
            "ip addr del VIP/LENGTH dev DEVICE",
            only_if="its manager does not say that it holds the VIP",
        ),
        Step(Risk.SAFE, "announce the VIP again from the holder", "arping -U -c 3 -I DEVICE VIP"),
    ),
    verify=("arping -c 3 VIP", "ip -br addr"),
    probes=(ADDRESSES, CLAIMS),
)
