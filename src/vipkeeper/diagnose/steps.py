"""Steps of fixes that several causes share."""

from __future__ import annotations

from vipkeeper.diagnose.hypothesis import Risk, Step

RESET_DONE = "Managed etcd cluster membership has been reset"
"""What a reset that succeeded says last. Its exit code differs between releases (k3s: pkg/etcd/etcd.go, Reset)."""
DATA_AWAY = (
    "systemctl stop rke2-server; mv /var/lib/rancher/rke2/server/db /var/lib/rancher/rke2/old-db; "
    "systemctl start rke2-server"
)
"""Moved and not removed: the snapshots are in there, too."""
JOINS_ANOTHER = "`server` in its configuration names another server or the VIP (else it makes a cluster of its own)"
"""A server without data and without `server` begins a new cluster (k3s: pkg/etcd/etcd.go, Start)."""


def reset(text: str, only_if: str) -> tuple[Step, Step]:
    """Makes a cluster of one, and starts it (RKE2, "Backup and Restore"). Both are shown or neither is."""
    return (
        Step(
            Risk.DESTRUCTIVE,
            f"{text} (k3s: unit k3s, k3s server --cluster-reset); first stop every other server that still runs, and "
            "take `server` out of its configuration and drop-ins",
            "systemctl stop rke2-server; rke2 server --cluster-reset",
            only_if=only_if,
        ),
        Step(
            Risk.DESTRUCTIVE,
            "start it again",
            "systemctl start rke2-server",
            only_if=f"the reset ended with `{RESET_DONE}`, whatever its exit code",
        ),
    )


LET_THE_VIP_GO = Step(
    Risk.DISRUPTIVE,
    "let the VIP go to another server: stop what holds it here, and not rke2-server, without which it stays",
    "systemctl stop keepalived",
    only_if="keepalived holds it (vipkeeper: vipkeeper handover; kube-vip: move its manifest away)",
)
"""A stopped supervisor leaves containers and addresses where they are (kube-vip/kube-vip#1786)."""
JOIN_ANEW = Step(
    Risk.DESTRUCTIVE,
    "on each other server that comes back, move its old data away, so that it joins anew (k3s: /var/lib/rancher/k3s/server/db)",
    DATA_AWAY,
    only_if=f"the reset is done, the API answers, and {JOINS_ANOTHER}",
)
