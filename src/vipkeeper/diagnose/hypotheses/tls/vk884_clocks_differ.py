"""clocks differ so far that certificates are not yet valid

## What it is
A certificate begins at the time when it was made. Where the clock is behind the one who made it, it is of the future:
`x509: certificate has expired or is not yet valid`. After a cold start without a clock battery or NTP that may be years.

## How to tell it apart
The same certificate is good elsewhere. When all clocks agree, the certificate itself is wrong.

## References
rancher/rke2#4372.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.tls import clocks_apart, not_yet_valid
from vipkeeper.diagnose.probes import CERTIFICATE_ON_VIP, CLOCKS

HYPOTHESIS = Hypothesis(
    code="VK884",
    name="clocks-differ",
    layer=Layer.TLS,
    requires=(not_yet_valid, clocks_apart),
    chain=(
        "clocks differ between servers, or from the client",
        "a certificate begins later than now, for whoever is behind",
        "clients refuse it, and joiners end",
    ),
    explains=(Symptom.CERTIFICATE, Symptom.NOT_STARTING),
    fixes=(
        Step(Risk.SAFE, "set the clocks by NTP on all servers", "chronyc makestep"),
        Step(
            Risk.DISRUPTIVE,
            "restart what made certificates while its clock was ahead",
            "systemctl restart rke2-server",
            only_if="its certificates still begin in the future",
        ),
    ),
    verify=("date -u", "openssl s_client -connect VIP:6443"),
    probes=(CLOCKS, CERTIFICATE_ON_VIP),
)
