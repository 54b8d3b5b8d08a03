"""settings that must be the same differ between servers

## What it is
A joining server compares cluster-cidr, service-cidr, cluster-dns, cluster-domain and some more with those of the
cluster, and ends with `critical configuration value mismatch between servers` when one differs. Servers that have
joined are not compared again.

## How to tell it apart
The lines before the end name each setting: `critical configuration mismatched: cluster-cidr`. A file that differs on a
server that joined long ago is not why it does not start: nobody compares it any more.

## References
k3s-io/k3s#12745, #4677, #4768; rules VK605 and VK606.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files_or_logs
from vipkeeper.diagnose.predicates.joining import joined_before, supervisor_ends
from vipkeeper.diagnose.probes import DATA_OF_ETCD, FILES, SERVER_LOG

HYPOTHESIS = Hypothesis(
    code="VK845",
    name="critical-settings-differ",
    layer=Layer.CONFIGURATION,
    requires=(
        in_files_or_logs(
            "settings_differ",
            "settings that must be the same differ",
            ("VK605",),
            ("critical-config-mismatch",),
        ),
        supervisor_ends,
    ),
    forbids=(joined_before("critical-config-mismatch"),),
    chain=(
        "a setting of the joining server is not that of the cluster",
        "the supervisor refuses to join and ends",
    ),
    explains=(Symptom.NOT_STARTING,),
    fixes=(
        Step(
            Risk.SAFE,
            "write the cluster's own value of every setting that the log names into the joiner's file",
        ),
        Step(Risk.SAFE, "start it again", "systemctl restart rke2-server"),
    ),
    verify=("systemctl is-active rke2-server",),
    probes=(SERVER_LOG, FILES, DATA_OF_ETCD),
)
