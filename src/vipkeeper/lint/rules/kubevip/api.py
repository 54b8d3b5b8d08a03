"""Through which API server kube-vip renews its lease, which decides what its election proves.

Source: kube-vip pkg/manager/manager.go.
"""

from __future__ import annotations

import enum

from vipkeeper.lint.parsers.kubevip import KubeVip

ADMIN_CONF = "/etc/kubernetes/admin.conf"
"""Where kube-vip looks for a kubeconfig in its container; it then talks to `https://kubernetes:PORT`."""


class Way(enum.Enum):
    """How it finds the API server."""

    ETCD = enum.auto()
    """The election is in etcd: it asks no API server."""
    ADMIN = enum.auto()
    """A kubeconfig at the usual place: the host `kubernetes`."""
    FILE = enum.auto()
    """Another kubeconfig: the server in it."""
    OWN = enum.auto()
    """An address that was given."""
    CLUSTER = enum.auto()
    """The address of the Service `kubernetes`: any API server."""


def way(kubevip: KubeVip) -> Way:
    """The way that an installation takes."""
    if kubevip.flag("leaderElectionType") == "etcd":
        return Way.ETCD
    if kubevip.text("kubernetes_addr") or kubevip.variable("KUBERNETES_SERVICE_HOST"):
        return Way.OWN
    file = kubevip.text("k8s_config_file") or kubevip.flag("k8sConfigPath") or ADMIN_CONF
    if file != ADMIN_CONF or kubevip.mount("/root/.kube/config"):
        return Way.FILE
    return Way.ADMIN if kubevip.mount(ADMIN_CONF) else Way.CLUSTER
