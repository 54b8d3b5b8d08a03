"""another VRRP router uses the same virtual router id

## What it is
Two VRRP groups in one network have the same id. keepalived logs each foreign advert, as its addresses are not its own;
newer releases take it for their master's, and then nobody here becomes MASTER. With use_vmac both groups share one
link-layer address, and switches send frames to the one or the other.

## How to tell it apart
The log names addresses that are not of this cluster. Adverts that merely do not arrive leave no such line, VK864.

## References
acassen/keepalived#2022; RFC 9568 section 5.2.3; rule VK601.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import (
    NOBODY_HOLDS,
    Hypothesis,
    Layer,
    Privilege,
    Probe,
    Risk,
    Step,
    Symptom,
)
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.vrrp import adverts_of_another_router, another_manager
from vipkeeper.diagnose.vocabulary import Key

HYPOTHESIS = Hypothesis(
    code="VK865",
    name="vrid-taken",
    layer=Layer.NETWORK,
    requires=(adverts_of_another_router,),
    forbids=(another_manager,),
    supports=(in_files("id_twice", "two VIPs share a virtual router id", "VK601"),),
    chain=(
        "a router of another group sends adverts with our id",
        "keepalived takes them for its own group's, or fights over one link-layer address",
        "the VIP is on no server, or its frames go elsewhere",
    ),
    explains=(*NOBODY_HOLDS, Symptom.TWO_ANSWER),
    fixes=(
        Step(Risk.SAFE, "see which ids are in use", "tcpdump -c 20 -ni DEVICE ip proto 112"),
        Step(
            Risk.DISRUPTIVE,
            "set a free virtual_router_id on all servers, and reload them together",
            "systemctl reload keepalived",
        ),
    ),
    verify=("journalctl -u keepalived -n 20", "ip -br addr"),
    probes=(
        Probe(
            "journalctl -u keepalived -n 200 --no-pager",
            "every server",
            frozenset({Key.LOG, Key.LOGS_READ}),
            cost=2,
            privilege=Privilege.ROOT,
        ),
    ),
)
