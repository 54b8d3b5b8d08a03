"""the server behind the VIP started moments ago

## What it is
A server needs 8 to 25 s from its start to the first answer, minutes when images must be fetched. Meanwhile etcd says
that it has no leader and the API answers 500 or refuses: the same picture as lost quorum. It passes.

## How to tell it apart
The supervisor is starting, and for less than three minutes. Look again 15 s later. A service that starts for ever, or
is restarted every 5 s, is no case of this: its log says why.

## References
rke2: `Type=notify` unit; k3s: pkg/cli/server/server.go.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.serving import api_of_starting_serves
from vipkeeper.diagnose.predicates.supervisor import (
    restarts_behind_vip,
    started_moments_ago,
    vip_leads_to_starting,
)
from vipkeeper.diagnose.probes import ADDRESSES, LOOK_AGAIN, SUPERVISOR

HYPOTHESIS = Hypothesis(
    code="VK826",
    name="still-starting",
    layer=Layer.PROCESS,
    requires=(
        started_moments_ago,
        vip_leads_to_starting,
    ),
    forbids=(
        restarts_behind_vip,
        api_of_starting_serves,
    ),
    chain=(
        "the server started moments ago",
        "its API server does not run yet",
        "the VIP leads to it",
    ),
    explains=(
        Symptom.REFUSED,
        Symptom.SERVER_ERROR,
        Symptom.MANAGER_RESTARTS,
        Symptom.REGISTRATION_CLOSED,
        Symptom.NO_HELLO,
        Symptom.NO_ANSWER,
        Symptom.NO_ROUTE,
        Symptom.TIMEOUT,
    ),
    fixes=(Step(Risk.SAFE, "wait, and look again", "sleep 15; vipkeeper why"),),
    verify=("systemctl is-active rke2-server",),
    probes=(
        SUPERVISOR,
        LOOK_AGAIN,
        ADDRESSES,
    ),
)
