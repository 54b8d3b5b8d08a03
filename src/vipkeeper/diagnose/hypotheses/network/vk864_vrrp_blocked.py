"""the servers do not take each other's adverts

## What it is
keepalived's adverts (IP protocol 112 to 224.0.0.18 or ff02::12) are dropped by a firewall, a switch or a cloud, or refused
because id, version, interval or password differ. Every server becomes MASTER, while all else between them works.

## How to tell it apart
The holders answer each other under their own addresses. If they do not, the whole network is in parts, VK861. In a cloud
multicast is dropped as a rule: name the peers (unicast_peer).

## References
acassen/keepalived#2370, #2649; RFC 9568 section 5.1; rules VK313, VK314, VK315, VK317 and VK318.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.holders import (
    holders_hear_each_other,
    several_claim_it,
    several_have_it,
)
from vipkeeper.diagnose.predicates.vrrp import adverts_of_another_router, another_manager
from vipkeeper.diagnose.probes import ADDRESSES, CLAIMS, OTHER_HOLDER

HYPOTHESIS = Hypothesis(
    code="VK864",
    name="vrrp-blocked",
    layer=Layer.NETWORK,
    requires=(several_have_it, several_claim_it, holders_hear_each_other),
    forbids=(another_manager, adverts_of_another_router),
    supports=(
        in_files(
            "settings_part_them",
            "their settings make them refuse each other",
            "VK313",
            "VK314",
            "VK315",
            "VK317",
            "VK318",
        ),
    ),
    chain=(
        "adverts do not arrive or are refused",
        "each server takes itself for the only one and becomes MASTER",
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
            "compare the instances of all servers",
            "vipkeeper lint /etc/keepalived/keepalived.conf",
        ),
        Step(
            Risk.DISRUPTIVE,
            "let IP protocol 112 pass between the servers, or name the peers with unicast_peer on each",
            "firewall-cmd --permanent --add-protocol=vrrp && firewall-cmd --reload",
            only_if="firewalld runs",
        ),
    ),
    verify=("tcpdump -c 4 -ni DEVICE ip proto 112", "ip -br addr"),
    probes=(ADDRESSES, CLAIMS, OTHER_HOLDER),
)
