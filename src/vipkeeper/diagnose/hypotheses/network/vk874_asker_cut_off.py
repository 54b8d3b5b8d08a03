"""the place that asks has no network

## What it is
The client reaches neither its gateway nor any server under its own address. What it says of the VIP says nothing of the
VIP.

## How to tell it apart
Look from another place. When that one does not reach the VIP either, something else is wrong as well. A server that is
cut off from the others is VK802.

## References
rancher/rke2#2753 (two clients, two pictures).
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import (
    NOBODY_HOLDS,
    Hypothesis,
    Layer,
    Probe,
    Risk,
    Step,
)
from vipkeeper.diagnose.predicates.network import (
    gateway_silent,
    no_server_answers_there,
    silent_elsewhere_too,
)
from vipkeeper.diagnose.vocabulary import Key

HYPOTHESIS = Hypothesis(
    code="VK874",
    name="asker-cut-off",
    layer=Layer.NETWORK,
    requires=(gateway_silent, no_server_answers_there),
    forbids=(silent_elsewhere_too,),
    chain=(
        "the place that asks lost its network",
        "it reaches neither gateway nor servers, and so not the VIP",
    ),
    explains=NOBODY_HOLDS,
    fixes=(
        Step(
            Risk.SAFE,
            "mend the network of this machine: link, address, route",
            "ip -br addr; ip route",
        ),
    ),
    verify=("ping -c 2 GATEWAY",),
    probes=(
        Probe("vipkeeper why", "another machine", frozenset({Key.SERVER_UP, Key.VIP_PORT}), cost=8),
        Probe("ping -c 2 GATEWAY", "the place that asks", frozenset({Key.GATEWAY}), cost=2),
    ),
)
