"""the token is of another cluster

## What it is
A joining server proves with `token` that it belongs to the cluster. With a wrong one it is told `401 Unauthorized`; with
a full token of another cluster the hash of the CA differs. A server that has data and another token than its data was
encrypted with says `bootstrap data already found and encrypted with different token`. The cluster itself stays well.

## How to tell it apart
`401 Unauthorized` for /cacerts is not about the token: `server` names port 6443, see VK844. A CA hash that differs is
also what a joiner sees when a host of another cluster answers for the VIP: then the certificate on the VIP is foreign
for everybody, see VK862 and VK883.

## References
rancher/rke2#3214, #2410, #6250; k3s-io/k3s#3727, #4640; rules VK127 and VK607.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.joining import supervisor_ends
from vipkeeper.diagnose.predicates.logs import logged_lately
from vipkeeper.diagnose.predicates.tls import other_authority
from vipkeeper.diagnose.probes import CERTIFICATE_ON_VIP, SERVER_LOG, SERVICES

HYPOTHESIS = Hypothesis(
    code="VK843",
    name="wrong-token",
    layer=Layer.CONFIGURATION,
    requires=(
        logged_lately(
            "token_refused",
            "the token is refused",
            "join-unauthorized",
            "token-other-cluster",
            "bootstrap-other-token",
        ),
        supervisor_ends,
    ),
    forbids=(other_authority,),
    supports=(in_files("tokens_differ", "tokens differ or are malformed", "VK127", "VK607"),),
    chain=(
        "the token of this server is not the one of the cluster it asks",
        "it is refused the keys and certificates of the cluster",
        "its supervisor ends and is started again, for ever",
    ),
    explains=(Symptom.NOT_STARTING,),
    fixes=(
        Step(
            Risk.SAFE,
            "read the token on a server that runs (k3s: /var/lib/rancher/k3s/server/token)",
            "cat /var/lib/rancher/rke2/server/token",
        ),
        Step(
            Risk.SAFE,
            "write it into `token` of this server and start it again",
            "systemctl restart rke2-server",
        ),
    ),
    verify=("systemctl is-active rke2-server",),
    probes=(SERVER_LOG, SERVICES, CERTIFICATE_ON_VIP),
)
