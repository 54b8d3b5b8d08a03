"""the certificate does not name the VIP

## What it is
The API server's certificate names the server's own addresses and what stands in `tls-san`. Without the VIP there, clients
that verify refuse it: `x509: certificate is valid for ..., not 192.0.2.100`. RKE2 makes a new certificate at the next
start once the name is in `tls-san`; k3s adds names by itself on its own port, unless `tls-san-security` forbids it.

## How to tell it apart
The same server is accepted under its own address. A certificate of another cluster does not name the VIP either, and is
signed by another CA, VK883; a foreign host is VK862. Ask after every take-over: servers may differ.

## References
rancher/rke2#518, #522; k3s-io/k3s#9257, #10369; kubernetes-sigs/kubespray#9098; rules VK103 and VK611.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files
from vipkeeper.diagnose.predicates.network import stranger_answers
from vipkeeper.diagnose.predicates.tls import name_missing
from vipkeeper.diagnose.probes import CERTIFICATE_ON_VIP, NEIGHBOURS

HYPOTHESIS = Hypothesis(
    code="VK881",
    name="name-missing",
    layer=Layer.TLS,
    requires=(name_missing,),
    forbids=(stranger_answers,),
    supports=(in_files("not_in_tls_san", "the VIP is missing in `tls-san`", "VK103", "VK611"),),
    chain=(
        "the VIP is not in `tls-san` of the server that holds it, or was added without a restart",
        "its certificate does not name the VIP",
        "clients that verify refuse it",
    ),
    explains=(Symptom.CERTIFICATE, Symptom.NOT_STARTING),
    fixes=(
        Step(
            Risk.SAFE,
            "add the VIP to `tls-san` in /etc/rancher/rke2/config.yaml (k3s: /etc/rancher/k3s/config.yaml) on every server",
        ),
        Step(
            Risk.DISRUPTIVE,
            "restart the servers one after the other, waiting for each",
            "systemctl restart rke2-server",
        ),
    ),
    verify=("openssl s_client -connect VIP:6443 -verify_ip VIP",),
    probes=(CERTIFICATE_ON_VIP, NEIGHBOURS),
)
