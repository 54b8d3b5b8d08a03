"""Steps of fixes that several causes share."""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Risk, Step

CLUSTER_RESET = (
    "systemctl stop rke2-server; rke2 server --cluster-reset && systemctl start rke2-server"
)
"""Makes a cluster of one; the server ends after it and is started without the option (RKE2, "Backup and Restore")."""
JOIN_ANEW = Step(
    Risk.DESTRUCTIVE,
    "on each other server that comes back, remove its old database, so that it joins anew (k3s: "
    "/var/lib/rancher/k3s/server/db)",
    "systemctl stop rke2-server; rm -rf /var/lib/rancher/rke2/server/db; systemctl start rke2-server",
    only_if="the reset is done and the API answers",
)
