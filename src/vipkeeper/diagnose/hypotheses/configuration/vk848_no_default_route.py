"""no default route, and no `node-ip`

## What it is
RKE2 and k3s look at the default route to find the server's own address. Without one, and without `node-ip`, they end with
`no default routes found in "/proc/net/route" or "/proc/net/ipv6_route"`.

## How to tell it apart
With `node-ip` set a server starts without a default route, so a missing route alone proves nothing; the message does.

## References
k8s.io/apimachinery util/net (ChooseHostInterface); rule VK117.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Probe, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.joining import supervisor_ends
from vipkeeper.diagnose.predicates.logs import logged_lately
from vipkeeper.diagnose.predicates.network import no_default_route
from vipkeeper.diagnose.probes import SERVER_LOG
from vipkeeper.diagnose.vocabulary import Key

HYPOTHESIS = Hypothesis(
    code="VK848",
    name="no-default-route",
    layer=Layer.CONFIGURATION,
    requires=(
        no_default_route,
        logged_lately("found_no_address", "no default routes found", "no-default-route"),
    ),
    supports=(supervisor_ends, in_files("no_own_address", "`node-ip` is not set", "VK117")),
    chain=(
        "the server has no default route and no `node-ip`",
        "it cannot tell its own address, so the supervisor ends",
    ),
    explains=(
        Symptom.NOT_STARTING,
        Symptom.NO_ANSWER,
        Symptom.NO_ROUTE,
        Symptom.REFUSED,
        Symptom.TIMEOUT,
    ),
    fixes=(
        Step(
            Risk.SAFE,
            "set `node-ip` in /etc/rancher/rke2/config.yaml (k3s: /etc/rancher/k3s/config.yaml), or mend the default route",
        ),
        Step(Risk.SAFE, "start it again", "systemctl restart rke2-server"),
    ),
    verify=("ip route show default", "systemctl is-active rke2-server"),
    probes=(
        Probe(
            "ip route show default; ip -6 route show default",
            "each server that does not start",
            frozenset({Key.DEFAULT_ROUTE}),
            cost=1,
        ),
        SERVER_LOG,
    ),
)
