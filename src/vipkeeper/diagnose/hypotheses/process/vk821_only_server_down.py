"""the control plane of the only server is down

## What it is
A cluster of one server serves its VIP well, and has nobody to take over. When its control plane or its host is down,
the API is gone; a manager that depends on a Lease removes the VIP as well, because it cannot renew it. This is no
fault of the VIP and none of quorum: the quorum of one is one.

## How to tell it apart
The cluster was built with one server. If it had three and one is left, that is lost quorum. Look for the nearer cause
first: stopped, still starting, a full disk, etcd.

## References
rancher/rke2#2753 (the case of three); kube-vip/kube-vip#732, #173.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import NOBODY_HOLDS, Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.etcd import only_one_server
from vipkeeper.diagnose.predicates.serving import (
    asker_alone_saw_it,
    only_api_down,
    only_looked_once,
)
from vipkeeper.diagnose.probes import (
    API_PORT,
    CONTAINERS,
    FROM_ELSEWHERE,
    LOOK_AGAIN,
    MEMBERS,
    REACHED_FROM_ELSEWHERE,
    SUPERVISOR,
)

HYPOTHESIS = Hypothesis(
    code="VK821",
    name="only-server-down",
    layer=Layer.PROCESS,
    requires=(
        only_one_server,
        only_api_down,
    ),
    forbids=(
        only_looked_once,
        asker_alone_saw_it,
    ),
    chain=(
        "the control plane of the only server is down",
        "nobody else can take over, and kube-vip cannot renew its Lease and removes the VIP",
    ),
    explains=(
        *NOBODY_HOLDS,
        Symptom.REFUSED,
        Symptom.SERVER_ERROR,
        Symptom.NOT_STARTING,
        Symptom.MANAGER_RESTARTS,
        Symptom.NO_HELLO,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "look at the host: is it up, and what does the supervisor say?",
            "systemctl status rke2-server; journalctl -u rke2-server -n 50",
        ),
        Step(
            Risk.DISRUPTIVE,
            "start or restart it (k3s: the unit is k3s)",
            "systemctl restart rke2-server",
        ),
        Step(
            Risk.SAFE,
            "for a control plane that survives the loss of a server: three servers, not two",
        ),
    ),
    verify=("kubectl get --raw /readyz",),
    probes=(
        SUPERVISOR,
        CONTAINERS,
        API_PORT,
        LOOK_AGAIN,
        MEMBERS,
        FROM_ELSEWHERE,
        REACHED_FROM_ELSEWHERE,
    ),
    caused_by=(
        "VK805",
        "VK806",
        "VK808",
        "VK809",
        "VK811",
        "VK813",
        "VK822",
        "VK823",
        "VK824",
        "VK825",
        "VK826",
        "VK841",
        "VK842",
        "VK843",
        "VK847",
        "VK848",
    ),
)
