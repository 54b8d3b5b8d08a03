"""`server` names 6443 where 9345 is meant

## What it is
On RKE2 servers and agents join through the supervisor on 9345. Port 6443 is the API server, which answers
`/cacerts: 401 Unauthorized`. On k3s one port serves both, and 6443 is right.

## How to tell it apart
The message names cacerts; with a wrong token the 401 is for v1-rke2/server-bootstrap, see VK843. A server that has
data starts all the same and only warns.

## References
rancher/rke2#165, #3901; rule VK102.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files_or_logs
from vipkeeper.diagnose.predicates.joining import joined_before, supervisor_ends
from vipkeeper.diagnose.probes import DATA_OF_ETCD, FILES, SERVER_LOG

HYPOTHESIS = Hypothesis(
    code="VK844",
    name="wrong-join-port",
    layer=Layer.CONFIGURATION,
    requires=(
        in_files_or_logs(
            "joins_through_the_api",
            "`server` names a port that nobody joins through",
            ("VK102",),
            ("join-wrong-port",),
        ),
        supervisor_ends,
    ),
    forbids=(joined_before("join-wrong-port"),),
    chain=(
        "`server` names the port of the API server",
        "the API server knows nothing of joining and answers 401",
        "the supervisor of the joiner ends and is started again",
    ),
    explains=(Symptom.NOT_STARTING,),
    fixes=(
        Step(Risk.SAFE, "set `server: https://VIP:9345` (on k3s 6443 is right)"),
        Step(Risk.SAFE, "start it again", "systemctl restart rke2-server"),
    ),
    verify=("curl -sk https://VIP:9345/cacerts", "systemctl is-active rke2-server"),
    probes=(SERVER_LOG, DATA_OF_ETCD, FILES),
)
