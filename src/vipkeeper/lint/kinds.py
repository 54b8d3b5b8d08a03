"""The kinds of files and documents that the linter knows."""

from __future__ import annotations

import enum


class Kind(enum.Enum):
    """What a document is; the value is its name in words."""

    RKE2_CONFIG = "RKE2 config.yaml"
    RKE2_DROPIN = "RKE2 config.yaml.d"
    RKE2_ENV = "RKE2 environment file"
    K3S_CONFIG = "k3s config.yaml"
    K3S_DROPIN = "k3s config.yaml.d"
    K3S_ENV = "k3s environment file"
    KUBEVIP_POD = "kube-vip Pod"
    KUBEVIP_DAEMONSET = "kube-vip DaemonSet"
    KUBEVIP_VALUES = "kube-vip Helm values"
    KUBEVIP_CHART = "kube-vip HelmChart"
    CILIUM_VALUES = "Cilium Helm values"
    CALICO_VALUES = "Calico Helm values"
    OBJECT = "Kubernetes object"
    KUBECONFIG = "kubeconfig"
    KEEPALIVED = "keepalived.conf"
    KEEPALIVED_ENV = "keepalived environment file"
    HAPROXY = "haproxy.cfg"
    SYSTEMD_UNIT = "systemd unit"
    OWN_CONFIG = "vipkeeper cluster.yaml"


RKE2 = (Kind.RKE2_CONFIG, Kind.RKE2_DROPIN, Kind.RKE2_ENV)
K3S = (Kind.K3S_CONFIG, Kind.K3S_DROPIN, Kind.K3S_ENV)
SETTINGS = RKE2 + K3S
"""Everything that ends up in `Server.settings`."""
KUBEVIP = (Kind.KUBEVIP_POD, Kind.KUBEVIP_DAEMONSET, Kind.KUBEVIP_VALUES, Kind.KUBEVIP_CHART)
CNI_VALUES = (Kind.CILIUM_VALUES, Kind.CALICO_VALUES)


class Place(enum.Enum):
    """Where on a server a file is, as far as its path says."""

    SERVER_MANIFESTS = "server/manifests"
    """Applied to the cluster by RKE2 or k3s: one copy serves all servers."""
    POD_MANIFESTS = "agent/pod-manifests"
    """Static pods of RKE2 or k3s: run on this server only."""
    KUBERNETES_MANIFESTS = "/etc/kubernetes/manifests"
    """Static pods of kubeadm."""
    UNKNOWN = "unknown"
