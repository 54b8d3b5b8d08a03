"""rke2-server or k3s is stopped on the server with the VIP

## What it is
`systemctl stop rke2-server` ends the supervisor: 9345 closes, kubelet ends, and nothing restarts a static pod that
ends. Containers may live on, and with them a kube-vip that goes on renewing its Lease through another server. So the
VIP stays where nothing serves. With keepalived or an address set by hand it stays as well.

## How to tell it apart
`systemctl status` says inactive or failed. A service that is restarted again and again is another case, and so is one
that is still starting.

## References
kube-vip/kube-vip#1786; harvester/harvester#7293 (rke2-killall.sh leaves the VIP).
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.api import api_dead
from vipkeeper.diagnose.predicates.supervisor import supervisor_stopped, vip_leads_to_stopped
from vipkeeper.diagnose.probes import ADDRESSES, SUPERVISOR

HYPOTHESIS = Hypothesis(
    code="VK825",
    name="supervisor-stopped",
    layer=Layer.PROCESS,
    requires=(
        supervisor_stopped,
        vip_leads_to_stopped,
    ),
    supports=(api_dead,),
    chain=(
        "the supervisor of the server with the VIP is stopped",
        "nothing listens on 9345, and soon nothing on 6443",
        "nothing that holds the VIP notices, so the VIP stays",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.REFUSED,
        Symptom.SERVER_ERROR,
        Symptom.REGISTRATION_CLOSED,
        Symptom.NOT_STARTING,
        Symptom.MANAGER_RESTARTS,
    ),
    fixes=(
        Step(Risk.SAFE, "start it (k3s: the unit is k3s)", "systemctl start rke2-server"),
        Step(
            Risk.DISRUPTIVE,
            "when it is to stay stopped: take the VIP off this server",
            "ip addr del VIP/LENGTH dev DEVICE",
            only_if="another server holds the VIP or can take it",
        ),
    ),
    verify=(
        "systemctl is-active rke2-server",
        "curl -sk https://VIP:9345/ping",
    ),
    probes=(
        SUPERVISOR,
        ADDRESSES,
    ),
)
