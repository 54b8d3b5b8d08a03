"""the API server behind the VIP is dead and the VIP stays: a black hole

## What it is
The address is on an interface and answers ARP, and nothing listens on 6443 behind it. That happens where nothing
checks the API server before it holds the VIP: keepalived without a check, an address set by hand, kube-vip in ARP
mode that renews its Lease through another server's API.

## How to tell it apart
`connection refused` at once, on the VIP and on the server's own address, while ping and ARP answer. The supervisor
runs and etcd is well; else those are the cause. kubelet restarts a dead API server within seconds, so look twice.

## References
kube-vip/kube-vip#1786, #1787, #1145; rancher/rke2#2753.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.api import (
    api_dead,
    api_down_for_a_moment,
    api_restarts_behind_vip,
    vip_leads_to_dead_api,
)
from vipkeeper.diagnose.predicates.datastore import datastore_ill_behind_vip
from vipkeeper.diagnose.predicates.supervisor import not_up_behind_vip
from vipkeeper.diagnose.predicates.vip import vip_refuses, vip_stays
from vipkeeper.diagnose.probes import (
    ADDRESSES,
    API_PORT,
    CONTAINERS,
    ETCD_HEALTH,
    LOOK_AGAIN,
    SUPERVISOR,
)

HYPOTHESIS = Hypothesis(
    code="VK822",
    name="api-server-dead",
    layer=Layer.PROCESS,
    requires=(
        vip_stays,
        api_dead,
        vip_leads_to_dead_api,
    ),
    forbids=(
        not_up_behind_vip,
        datastore_ill_behind_vip,
        api_restarts_behind_vip,
        api_down_for_a_moment,
    ),
    supports=(vip_refuses,),
    chain=(
        "the API server of the server with the VIP is dead",
        "nothing that holds the VIP looks at the API server, so the VIP stays",
        "clients go on reaching this server, and nothing listens",
    ),
    explains=(
        Symptom.REFUSED,
        Symptom.SERVER_ERROR,
        Symptom.REGISTRATION_CLOSED,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "read why it ended",
            "tail -n 50 /var/log/pods/kube-system_kube-apiserver-*/kube-apiserver/*.log",
        ),
        Step(
            Risk.DISRUPTIVE,
            "restart the server (k3s: the unit is k3s)",
            "systemctl restart rke2-server",
        ),
        Step(
            Risk.SAFE,
            "let what holds the VIP look at /readyz of its own server: a track_script of keepalived, or vipkeeper",
        ),
    ),
    verify=("curl -sk https://VIP:6443/livez",),
    probes=(
        API_PORT,
        SUPERVISOR,
        ETCD_HEALTH,
        CONTAINERS,
        LOOK_AGAIN,
        ADDRESSES,
    ),
    caused_by=(
        "VK801",
        "VK803",
        "VK804",
        "VK806",
        "VK808",
        "VK809",
        "VK811",
        "VK813",
    ),
)
