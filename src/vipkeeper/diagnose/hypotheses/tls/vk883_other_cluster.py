"""the VIP answers with the certificate of another cluster

## What it is
A server that holds the VIP has a CA of its own: it was started without `server` and made a cluster of itself, it was
installed anew, or the VIP is on a server of another cluster. Clients refuse it, and joiners are told that the CA hash of
their token differs.

## How to tell it apart
Ask the servers under their own addresses. When none of them is signed by the CA at hand, the kubeconfig is of an older
cluster, and nothing is wrong with the VIP. When the answering address is no server's, see VK862.

## References
rancher/rke2#3214; k3s-io/k3s#3727; rule VK604.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.tls import other_authority, some_server_has_our_authority
from vipkeeper.diagnose.probes import CERTIFICATE_ON_VIP, CERTIFICATES_OF_SERVERS

HYPOTHESIS = Hypothesis(
    code="VK883",
    name="other-cluster",
    layer=Layer.TLS,
    requires=(other_authority, some_server_has_our_authority),
    caused_by=("VK862",),
    supports=(
        in_files("clusters_of_their_own", "several servers start a cluster of their own", "VK604"),
    ),
    chain=(
        "who has the VIP belongs to another cluster",
        "its certificate is signed by another CA",
        "clients refuse it, and joiners find another CA hash",
    ),
    explains=(Symptom.CERTIFICATE, Symptom.NOT_STARTING),
    fixes=(
        Step(Risk.SAFE, "find who answers for the VIP", "arping -c 3 VIP"),
        Step(
            Risk.SAFE,
            "take the VIP off it: stop the manager there",
            "systemctl stop keepalived",
            only_if="keepalived holds it (kube-vip: move its manifest away)",
        ),
        Step(
            Risk.DESTRUCTIVE,
            "let the server join: stop it, move its data away, set `server` and `token`, start it",
            "systemctl stop rke2-server; mv /var/lib/rancher/rke2/server /var/lib/rancher/rke2/server.old",
            only_if="it made a cluster of its own by mistake, and nothing that it holds is needed",
        ),
    ),
    verify=("openssl s_client -connect VIP:6443 -showcerts",),
    probes=(CERTIFICATES_OF_SERVERS, CERTIFICATE_ON_VIP),
)
