"""a certificate of the control plane has expired

## What it is
Certificates of RKE2 and k3s are good for a year and renewed at a start within the last months of it. A server that runs for
more than a year without a restart ends with expired ones, and clients refuse it.

## How to tell it apart
A clock that is wrong makes a good certificate look expired. Compare the clocks first; with a clock that is behind
certificates are not yet valid, VK884.

## References
rke2 documentation, "Certificate management"; rancher/rke2#4372.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.tls import clock_days_off, expired
from vipkeeper.diagnose.probes import CERTIFICATE_ON_VIP, CERTIFICATES_OF_SERVERS, CLOCKS

HYPOTHESIS = Hypothesis(
    code="VK882",
    name="certificate-expired",
    layer=Layer.TLS,
    requires=(expired,),
    forbids=(clock_days_off,),
    chain=(
        "the server has run for a year without renewing its certificates",
        "they expired, and clients refuse them",
    ),
    explains=(Symptom.CERTIFICATE, Symptom.NOT_STARTING),
    fixes=(
        Step(
            Risk.DISRUPTIVE,
            "restart the server: it renews what has expired",
            "systemctl restart rke2-server",
        ),
        Step(
            Risk.DISRUPTIVE,
            "renew all of them by hand (k3s: the same with k3s)",
            "systemctl stop rke2-server; rke2 certificate rotate; systemctl start rke2-server",
            only_if="the restart did not renew them",
        ),
    ),
    verify=("openssl s_client -connect VIP:6443",),
    probes=(CLOCKS, CERTIFICATE_ON_VIP, CERTIFICATES_OF_SERVERS),
)
