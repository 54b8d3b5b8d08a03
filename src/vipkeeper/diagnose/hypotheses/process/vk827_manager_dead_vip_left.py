"""what held the VIP is dead, and the VIP stayed

## What it is
An address on an interface outlives the process that put it there. After SIGKILL, an out-of-memory kill or
`rke2-killall.sh` the kernel goes on answering ARP for it, for ever. Another server takes the VIP, and two answer; or
nobody does, and it stays where nothing watches the API server.

## How to tell it apart
The VIP is on an interface, and its manager is not running on that server. If the manager runs and says that it does
not hold the VIP, it was left behind in another way.

## References
kube-vip/kube-vip#996, #1385, #1413, #588; harvester/harvester#7293.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.manager import dead_manager_left_vip, pod_ended_just_now
from vipkeeper.diagnose.probes import ADDRESSES, LOOK_AGAIN, ON_EVERY_SERVER

HYPOTHESIS = Hypothesis(
    code="VK827",
    name="manager-dead-vip-left",
    layer=Layer.PROCESS,
    requires=(dead_manager_left_vip,),
    forbids=(pod_ended_just_now,),
    chain=(
        "what held the VIP ended without taking it off",
        "the kernel goes on answering for the VIP",
        "nothing moves it when this server fails, and a second holder makes two",
    ),
    explains=(
        Symptom.TWO_ANSWER,
        Symptom.REFUSED,
    ),
    fixes=(
        Step(
            Risk.DISRUPTIVE,
            "start what holds the VIP; it takes an old address off by itself",
            "systemctl start keepalived",
        ),
        Step(
            Risk.DISRUPTIVE,
            "or take the address off",
            "ip addr del VIP/LENGTH dev DEVICE",
            only_if="another server holds the VIP",
        ),
    ),
    verify=("ip -brief address",),
    probes=(
        ON_EVERY_SERVER,
        ADDRESSES,
        LOOK_AGAIN,
    ),
)
