"""`server` is no URL, and the supervisor ends at once

## What it is
`server` takes the URL of a server to join, such as `https://192.0.2.100:9345`. `server: true`, a bare address or
`http://` make a fresh server end at once with `only https:// URLs are supported, invalid scheme: true`; systemd starts
it again every 5 seconds, and no port ever opens. The first server of a cluster has no `server` at all.

## How to tell it apart
A server that has been in the cluster before starts from its own data and only warns, so the line in the file alone
proves nothing: look whether `server/db/etcd/member/wal` exists, or for the message. With a VIP that nobody answers the
message is another one (`failed to get CA certs`), see VK842.

## References
rancher/rke2#2753; rule VK101; k3s pkg/clientaccess/token.go, pkg/cluster/bootstrap.go.
"""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Hypothesis, Layer, Risk, Step, Symptom
from vipkeeper.diagnose.predicates.files import in_files_or_logs
from vipkeeper.diagnose.predicates.joining import joined_before, supervisor_ends
from vipkeeper.diagnose.predicates.logs import logged
from vipkeeper.diagnose.probes import DATA_OF_ETCD, SERVER_LOG, SERVICES

HYPOTHESIS = Hypothesis(
    code="VK841",
    name="server-not-a-url",
    layer=Layer.CONFIGURATION,
    requires=(
        in_files_or_logs(
            "server_is_no_url", "`server` is no URL", ("VK101",), ("invalid-url-scheme",)
        ),
        supervisor_ends,
    ),
    forbids=(joined_before("invalid-url-scheme"),),
    supports=(logged("server_said_so", "only https:// URLs are supported", "invalid-url-scheme"),),
    chain=(
        "`server` is set, so a server without data tries to join another one",
        "its value is no https:// URL, so the supervisor ends before it opens a port",
        "systemd starts it again every 5 s, and it ends again",
        "there is no API server, and nobody who could hold the VIP",
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
            "on the first server delete the line `server` from /etc/rancher/rke2/config.yaml and its drop-ins (k3s: /etc/rancher/k3s)",
            only_if="this server starts the cluster",
        ),
        Step(
            Risk.SAFE,
            "on a server that joins set `server: https://VIP:9345` (k3s: `https://VIP:6443`) and `token`",
            only_if="this server joins another one",
        ),
        Step(Risk.SAFE, "start it again", "systemctl restart rke2-server"),
    ),
    verify=("systemctl is-active rke2-server", "curl -sk https://127.0.0.1:9345/ping"),
    probes=(SERVICES, SERVER_LOG, DATA_OF_ETCD),
)
